import { join, resolve } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';

export type Located =
  | { ok: true; root: string; layout: 'git' | 'portable' | 'plain'; portable: string | undefined }
  | { ok: false; refusal: Refusal };

const marks = ['main.py', 'server.py', 'nodes.py', 'comfy'] as const;

/**
 * The folder of main.py, links followed. The Windows portable build is named by its outer folder too: it holds `ComfyUI` and, with
 * one d less than one expects, `python_embeded`.
 */
export function locateComfyui(disk: Disk, asked: string): Located {
  const path = resolve(asked);
  const real = disk.realPath(path);
  if (real === undefined || disk.look(real)?.kind !== 'folder')
    return { ok: false, refusal: refusals.noFolder(path) };
  const inner = join(real, 'ComfyUI');
  const missing = findMissing(disk, real);
  if (missing.length === 0) {
    const embedded = join(real, '..', 'python_embeded');
    if (disk.look(embedded)?.kind === 'folder')
      return { ok: true, root: real, layout: 'portable', portable: embedded };
    const layout = disk.look(join(real, '.git')) === undefined ? 'plain' : 'git';
    return { ok: true, root: real, layout, portable: undefined };
  }
  if (disk.look(inner)?.kind !== 'folder' || findMissing(disk, inner).length > 0)
    return { ok: false, refusal: refusals.notComfyui(path, missing) };
  const embedded = join(real, 'python_embeded');
  if (disk.look(embedded)?.kind !== 'folder') return { ok: false, refusal: refusals.inside(path, inner) };
  return { ok: true, root: inner, layout: 'portable', portable: embedded };
}

function findMissing(disk: Disk, folder: string): string[] {
  return marks.filter((name) => {
    const kind = disk.look(join(folder, name))?.kind;
    return kind !== (name === 'comfy' ? 'folder' : 'file');
  });
}
