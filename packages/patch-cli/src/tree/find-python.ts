import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';

/** The Python that this ComfyUI is started with, as far as can be seen: its own one, else whatever is called python. */
export function findPython(disk: Disk, root: string, portable: string | undefined): string {
  const candidates = [
    ...(portable === undefined ? [] : [join(portable, 'python.exe'), join(portable, 'python')]),
    ...['venv', '.venv'].flatMap((name) => [
      join(root, name, 'bin', 'python'),
      join(root, name, 'Scripts', 'python.exe'),
    ]),
  ];
  // In a virtual environment it is a link.
  const found = candidates.find((path) => disk.realPath(path) !== undefined);
  return found ?? (process.platform === 'win32' ? 'python' : 'python3');
}
