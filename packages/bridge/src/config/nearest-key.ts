/** The known key that was probably meant: the same but for case and separators, or a few typing errors away. */
export function findNearestKey<T extends string>(key: string, known: readonly T[]): T | undefined {
  const wanted = normalize(key);
  let nearest: { key: T; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(wanted, normalize(candidate));
    if (distance < (nearest?.distance ?? Infinity)) nearest = { key: candidate, distance };
  }
  return nearest !== undefined && nearest.distance <= wanted.length / 4 ? nearest.key : undefined;
}

function normalize(key: string): string {
  // Cut, since the work grows with the product of both lengths and a key may be of any length.
  return key
    .slice(0, 64)
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '');
}

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
