import { join } from 'node:path';

import type { Places, Spot } from './spot.ts';

/** Where a spot is on this machine. */
export function spotPath({ place, path }: Spot, places: Places): string {
  return path === '' ? places[place] : join(places[place], path);
}
