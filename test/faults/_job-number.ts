/** Every workflow of this suite carries its job's number in the name of its result, and most as the colour of the picture. */
export function toPrefix(number: number): string {
  return `job-${number}`;
}

/** The number of the job that a prompt belongs to; undefined for prompts of others. */
export function toJobNumber(
  prompt: Readonly<Record<string, { inputs?: Record<string, unknown> }>>,
): number | undefined {
  for (const { inputs } of Object.values(prompt)) {
    const found = /^job-(\d+)$/.exec(String(inputs?.['filename_prefix'] ?? ''));
    if (found?.[1] !== undefined) return Number(found[1]);
  }
  return undefined;
}
