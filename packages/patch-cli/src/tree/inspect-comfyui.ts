import { dirname, join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { sha256 } from '../disk/hash.ts';
import type { Facts, Found, TreeNode } from '../plan/facts.ts';
import type { Payload } from '../plan/payload.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import { spotPath } from '../plan/spot-path.ts';
import { packFolder, parentSpot, spotKey, stateFolder } from '../plan/spot.ts';
import type { Places, Spot } from '../plan/spot.ts';
import { findCopies } from './find-copies.ts';
import type { Located } from './locate-comfyui.ts';
import { readState } from './read-state.ts';
import { readCommit, readVersion } from './read-version.ts';
import { resolvePlaces } from './resolve-places.ts';
import type { PlaceWishes } from './resolve-places.ts';
import { stateFiles } from '../plan/state-files.ts';

export type Inspected = { ok: true; facts: Facts } | { ok: false; refusal: Refusal };

/** One look at a ComfyUI and at what is installed in it. Changes nothing. */
export function inspectComfyui(
  disk: Disk,
  { root, layout }: Extract<Located, { ok: true }>,
  wishes: PlaceWishes,
  payload: Payload,
): Inspected {
  const stateKind = disk.look(join(root, stateFolder))?.kind ?? 'folder';
  if (stateKind !== 'folder') return { ok: false, refusal: refusals.badState(join(root, stateFolder)) };
  const state = readState(disk, join(root, stateFolder));
  const installed = state.receipt.kind === 'ok' ? state.receipt.value : undefined;
  const resolved = resolvePlaces(disk, root, wishes, installed?.places);
  if (!resolved.ok) return resolved;
  const { places, linked } = resolved;

  const spots = [
    ...payload.files.map(({ spot }) => spot),
    ...(installed?.files.map(({ spot }) => spot) ?? []),
    ...(installed?.folders ?? []),
    { place: 'state', path: 'donor.json' } as const,
    { place: 'custom-nodes', path: packFolder } as const,
  ];
  const found = lookAt(disk, spots, places);
  const pack = spotPath({ place: 'custom-nodes', path: packFolder }, places);
  return {
    ok: true,
    facts: {
      root,
      layout,
      version: readVersion(disk, root),
      commit: readCommit(disk, root),
      places,
      linked,
      found,
      pack: found.get(`custom-nodes:${packFolder}`)?.kind === 'folder' ? readTree(disk, pack) : undefined,
      copies: findCopies(disk, places['custom-nodes']),
      disabled: disk.look(`${pack}.disabled`) !== undefined,
      unwritable: findUnwritable(disk, spots, places),
      originals: wholeOriginals(disk, places.state),
      state,
    },
  };
}

function lookAt(disk: Disk, spots: readonly Spot[], places: Places): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const spot of spots) {
    for (let at: Spot | undefined = spot; at !== undefined; at = parentSpot(at)) {
      if (found.has(spotKey(at))) break;
      found.set(spotKey(at), findAt(disk, spotPath(at, places)));
    }
  }
  return found;
}

function findAt(disk: Disk, path: string): Found {
  const entry = disk.look(path);
  if (entry === undefined) return { kind: 'absent' };
  if (entry.kind !== 'file') return { kind: entry.kind };
  return { kind: 'file', sha256: sha256(disk.read(path)), mode: entry.mode };
}

function readTree(disk: Disk, folder: string): TreeNode[] {
  return disk.list(folder).map((name) => {
    const kind = disk.look(join(folder, name))?.kind ?? 'other';
    return { name, kind, children: kind === 'folder' ? readTree(disk, join(folder, name)) : [] };
  });
}

/** The folders that our files go into, or would be made in. */
function findUnwritable(disk: Disk, spots: readonly Spot[], places: Places): string[] {
  const folders = new Set([places.comfyui]);
  for (const spot of spots) {
    if (spot.place === 'input' && disk.look(spotPath(spot, places)) === undefined) continue;
    folders.add(nearestFolder(disk, dirname(spotPath(spot, places))));
  }
  return [...folders].filter((folder) => !disk.canWriteIn(folder)).sort();
}

function nearestFolder(disk: Disk, folder: string): string {
  return disk.look(folder) === undefined ? nearestFolder(disk, dirname(folder)) : folder;
}

function wholeOriginals(disk: Disk, state: string): Set<string> {
  const folder = join(state, stateFiles.originals);
  if (disk.look(folder)?.kind !== 'folder') return new Set();
  return new Set(
    disk.list(folder).filter((name) => {
      const path = join(folder, name);
      return disk.look(path)?.kind === 'file' && sha256(disk.read(path)) === name;
    }),
  );
}
