import { findNearest } from '../lib/find-nearest.ts';

/** The known key that was probably meant: the same but for case and separators, or a few typing errors away. */
export function findNearestKey<T extends string>(key: string, known: readonly T[]): T | undefined {
  return findNearest(key, known, (text) => text.toUpperCase().replace(/[^A-Z0-9]/g, ''));
}
