import { dirname, join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { readText } from './read-text.ts';

/**
 * The editor's own package: its version as requirements.txt asks for it, and as it lies in the site-packages of that Python.
 * `looked` is false where those are not beside it.
 */
export function findFrontend(
  disk: Disk,
  root: string,
  python: string,
): { wanted: string | undefined; found: string | undefined; looked: boolean } {
  const requirements = readText(disk, join(root, 'requirements.txt')) ?? '';
  const wanted = /^comfyui[-_]frontend[-_]package\s*[=~>]=\s*([\d.]+)/im.exec(requirements)?.[1];
  const folders = sitePackages(disk, python);
  const names = folders.flatMap((folder) => disk.list(folder));
  const found = names
    .map((name) => /^comfyui_frontend_package-([\d.]+)\.dist-info$/.exec(name)?.[1])
    .find((version) => version !== undefined);
  return { wanted, found, looked: folders.length > 0 };
}

function sitePackages(disk: Disk, python: string): string[] {
  const home = dirname(dirname(python));
  const isFolder = (path: string) => disk.look(path)?.kind === 'folder';
  const lib = join(home, 'lib');
  const versions = isFolder(lib) ? disk.list(lib).filter((name) => name.startsWith('python3')) : [];
  return [
    ...versions.map((name) => join(lib, name, 'site-packages')),
    join(home, 'Lib', 'site-packages'),
    // The portable build has python.exe beside its Lib.
    join(dirname(python), 'Lib', 'site-packages'),
  ]
    .filter((path) => path.startsWith('/') || /^[A-Za-z]:/.test(path))
    .filter(isFolder);
}
