/**
 * The candidate that was probably meant by `wanted`: the same once both are brought to a normal form, or a few typing errors
 * away. Undefined when none is near.
 */
export function findNearest<T extends string>(
  wanted: string,
  candidates: readonly T[],
  normalize: (text: string) => string,
): T | undefined {
  const toForm = (text: string) => normalize(text.slice(0, maxLength));
  const form = toForm(wanted);
  let nearest: { candidate: T; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(form, toForm(candidate));
    if (distance < (nearest?.distance ?? Infinity)) nearest = { candidate, distance };
  }
  return nearest !== undefined && nearest.distance <= form.length / 4 ? nearest.candidate : undefined;
}

/** The work grows with the product of both lengths, and what somebody sends may be of any length. */
const maxLength = 64;

/** Levenshtein's: insertions, deletions and replacements of one character each. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
