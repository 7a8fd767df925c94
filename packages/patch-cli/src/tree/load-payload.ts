import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { sha256 } from '../disk/hash.ts';
import type { Payload, PayloadFile } from '../plan/payload.ts';
import { launcherFile, packFolder } from '../plan/spot.ts';
import type { Place } from '../plan/spot.ts';

/** Reads what a package carries: `pack/`, `launcher/` and `input/` in its payload folder; what is missing is just not in it. */
export function loadPayload(disk: Disk, folder: string, version: string): Payload {
  const files = [
    ...filesBelow(disk, join(folder, 'pack')).map((path) =>
      readFile(disk, join(folder, 'pack', path), 'pack', 'custom-nodes', `${packFolder}/${path}`),
    ),
    ...filesBelow(disk, join(folder, 'launcher'))
      .filter((path) => path === launcherFile)
      .map((path) => readFile(disk, join(folder, 'launcher', path), 'launcher', 'comfyui', path)),
    ...filesBelow(disk, join(folder, 'input')).map((path) =>
      readFile(disk, join(folder, 'input', path), 'example', 'input', path),
    ),
  ];
  return { version, files };
}

function readFile(
  disk: Disk,
  from: string,
  kind: PayloadFile['kind'],
  place: Place,
  path: string,
): PayloadFile {
  const content = disk.read(from);
  return { spot: { place, path }, kind, content, sha256: sha256(content) };
}

function filesBelow(disk: Disk, folder: string): string[] {
  if (disk.look(folder)?.kind !== 'folder') return [];
  return disk.list(folder).flatMap((name) => {
    const kind = disk.look(join(folder, name))?.kind;
    if (kind === 'file') return [name];
    return kind === 'folder' ? filesBelow(disk, join(folder, name)).map((path) => `${name}/${path}`) : [];
  });
}
