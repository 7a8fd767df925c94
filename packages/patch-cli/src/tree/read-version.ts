import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { readText } from './read-text.ts';

/** What ComfyUI says it is, read as text and never run: older ones say it in pyproject.toml only. */
export function readVersion(disk: Disk, root: string): string | undefined {
  const python = readText(disk, join(root, 'comfyui_version.py'));
  const project = readText(disk, join(root, 'pyproject.toml'));
  return (
    /^__version__\s*=\s*["']([\w.+-]{1,50})["']/m.exec(python ?? '')?.[1] ??
    /^version\s*=\s*["']([\w.+-]{1,50})["']/m.exec(project ?? '')?.[1]
  );
}

/** The commit that a git checkout is at, without running git; undefined where there is none or it is stored otherwise. */
export function readCommit(disk: Disk, root: string): string | undefined {
  const git = join(root, '.git');
  const head = readText(disk, join(git, 'HEAD'))?.trim();
  if (head === undefined) return undefined;
  const branch = /^ref: (refs\/[\w./-]{1,200})$/.exec(head)?.[1];
  if (branch === undefined) return isCommit(head) ? head : undefined;
  if (branch.includes('..')) return undefined;
  const loose = readText(disk, join(git, branch))?.trim();
  if (loose !== undefined) return isCommit(loose) ? loose : undefined;
  const packed = readText(disk, join(git, 'packed-refs'), 10_000_000)?.split('\n') ?? [];
  return packed.find((line) => line.endsWith(` ${branch}`))?.slice(0, 40);
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}
