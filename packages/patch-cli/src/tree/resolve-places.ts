import { join, resolve } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { placesFromRecord } from '../plan/recorded-places.ts';
import type { RecordedPlaces } from '../plan/receipt.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { stateFolder } from '../plan/spot.ts';
import type { Place, Places } from '../plan/spot.ts';

export interface PlaceWishes {
  /** ComfyUI's own `--base-directory`: custom_nodes and input are in it. */
  baseDirectory: string | undefined;
  customNodes: string | undefined;
}

export type ResolvedPlaces = { ok: true; places: Places; linked: Place[] } | { ok: false; refusal: Refusal };

/** Where things go: as the receipt says, else as wished, else in ComfyUI's folder. A link is followed here, once. */
export function resolvePlaces(
  disk: Disk,
  root: string,
  wishes: PlaceWishes,
  recorded: RecordedPlaces | undefined,
): ResolvedPlaces {
  const base = wishes.baseDirectory === undefined ? root : resolve(wishes.baseDirectory);
  const isWished = wishes.baseDirectory !== undefined || wishes.customNodes !== undefined;
  const paths = {
    'custom-nodes': resolve(wishes.customNodes ?? join(base, 'custom_nodes')),
    input: join(base, 'input'),
  };
  if (wishes.baseDirectory !== undefined && disk.look(disk.realPath(base) ?? base)?.kind !== 'folder')
    return { ok: false, refusal: refusals.noFolder(base) };
  const linked: Place[] = [];
  const follow = (place: 'custom-nodes' | 'input'): string | undefined => {
    const real = disk.realPath(paths[place]);
    if (real === undefined) return disk.look(paths[place]) === undefined ? paths[place] : undefined;
    if (disk.look(paths[place])?.kind === 'link') linked.push(place);
    return disk.look(real)?.kind === 'folder' ? real : undefined;
  };
  const [customNodes, input] = [follow('custom-nodes'), follow('input')];
  const isMissing = wishes.customNodes !== undefined && disk.look(paths['custom-nodes']) === undefined;
  if (recorded === undefined || isWished)
    if (customNodes === undefined || isMissing)
      return { ok: false, refusal: refusals.noCustomNodes(paths['custom-nodes']) };
  if (recorded !== undefined) {
    const places = placesFromRecord(root, recorded);
    if (isWished && customNodes !== places['custom-nodes'])
      return { ok: false, refusal: refusals.otherPlace(places['custom-nodes'], customNodes ?? '') };
    return { ok: true, places, linked };
  }
  const places: Places = {
    comfyui: root,
    'custom-nodes': customNodes ?? paths['custom-nodes'],
    // A dangling link is nothing that files go into; it stands in the way only of the example pictures.
    input: input ?? paths.input,
    state: join(root, stateFolder),
  };
  return { ok: true, places, linked };
}
