import { join } from 'node:path';

import type { Disk } from '../disk/disk.ts';
import { packFolder } from '../plan/spot.ts';
import { readText } from './read-text.ts';

/** Folders of custom_nodes that hold this pack under another name: ComfyUI would register its editor part twice. */
export function findCopies(disk: Disk, customNodes: string): string[] {
  if (disk.look(customNodes)?.kind !== 'folder') return [];
  return disk.list(customNodes).filter((name) => {
    if (name === packFolder || name.startsWith('.') || name.endsWith('.disabled')) return false;
    // A developer's link is followed, as ComfyUI does.
    const folder = disk.realPath(join(customNodes, name));
    if (folder === undefined || disk.look(folder)?.kind !== 'folder') return false;
    if (disk.look(join(folder, '__init__.py')) === undefined) return false;
    const project = readText(disk, join(folder, 'pyproject.toml')) ?? '';
    return (
      /^name\s*=\s*["']comfy-bridge-editor["']/m.test(project) ||
      disk.look(join(folder, 'web', 'comfy-bridge.js')) !== undefined
    );
  });
}
