/** Seeds are up to 64 bits wide: they are text everywhere in the page. */

/** Whether an input of this name starts chance off. */
export function isSeedName(name: string): boolean {
  return /(^|[^a-z])(noise_)?seed($|[^a-z])/i.test(name);
}

/**
 * A whole limit with all its digits. Where the browser rounded it, 2⁶⁴−1 came as 2⁶⁴: a power of two that large is always
 * such a limit.
 */
export function toExactLimit(limit: number): string {
  if (!Number.isInteger(limit)) return String(Math.trunc(limit));
  const exact = BigInt(limit);
  if (Number.isSafeInteger(limit) || exact < 0n) return String(exact);
  return String((exact & (exact - 1n)) === 0n ? exact - 1n : exact);
}

/** Any of the seeds from `min` to `max`, each as likely as the others. */
export function randomSeed(
  { min, max }: { min: string; max: string },
  fill: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => crypto.getRandomValues(bytes),
): string {
  const low = BigInt(min);
  const count = BigInt(max) - low + 1n;
  if (count <= 1n) return min;
  // Sixteen bytes for at most eight: what the remainder prefers is nothing that could be noticed.
  const bytes = fill(new Uint8Array(16));
  let drawn = 0n;
  for (const byte of bytes) drawn = (drawn << 8n) | BigInt(byte);
  return String(low + (drawn % count));
}
