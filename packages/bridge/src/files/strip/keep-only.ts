import type { Edit } from './edits.ts';

/** Zeros for every byte of a file of `size` bytes that is in none of the places. */
export function keepOnly(places: readonly { start: number; end: number }[], size: number, from = 0): Edit[] {
  const edits: Edit[] = [];
  let reached = from;
  for (const { start, end } of places.toSorted((a, b) => a.start - b.start)) {
    if (start > reached) edits.push({ start: reached, end: Math.min(start, size), put: 'zeros' });
    reached = Math.max(reached, end);
  }
  if (reached < size) edits.push({ start: reached, end: size, put: 'zeros' });
  return edits.filter(({ start, end }) => end > start);
}
