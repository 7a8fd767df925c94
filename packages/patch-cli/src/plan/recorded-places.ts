import { isAbsolute, join, relative, sep } from 'node:path';

import type { RecordedPlaces } from './receipt.ts';
import { stateFolder } from './spot.ts';
import type { Places } from './spot.ts';

/** Relative for what is inside ComfyUI's folder, so that the folder can be moved. */
export function placesToRecord(root: string, places: Places): RecordedPlaces {
  const record = (path: string) => {
    const inside = relative(root, path);
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside.split(sep).join('/');
  };
  return { 'custom-nodes': record(places['custom-nodes']), input: record(places.input) };
}

/** The other way round. */
export function placesFromRecord(root: string, recorded: RecordedPlaces): Places {
  const absolute = (path: string) => (isAbsolute(path) ? path : join(root, path));
  return {
    comfyui: root,
    'custom-nodes': absolute(recorded['custom-nodes']),
    input: absolute(recorded.input),
    state: join(root, stateFolder),
  };
}
