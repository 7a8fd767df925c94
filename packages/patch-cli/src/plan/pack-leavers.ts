import type { TreeNode } from './facts.ts';
import type { Receipt } from './receipt.ts';
import { packFolder } from './spot.ts';

export interface Leavers {
  /** Paths below custom_nodes that go, each whole. */
  asides: string[];
  /** What is not ours and stays. */
  foreign: string[];
}

/**
 * What of custom_nodes/comfy-bridge goes at an uninstall. Ours: the receipt's files that had no predecessor, and what Python made
 * of them. A folder that we made goes with all that is in it when all of that goes.
 */
export function packLeavers(
  pack: readonly TreeNode[],
  receipt: Receipt,
  { force }: { force: boolean },
): Leavers {
  const made = new Set(
    receipt.folders.filter(({ place }) => place === 'custom-nodes').map(({ path }) => path),
  );
  const files = receipt.files.filter(({ spot }) => spot.place === 'custom-nodes');
  const removable = new Set(
    files.filter(({ original }) => original === undefined).map(({ spot }) => spot.path),
  );
  const compiled = new Set([...removable, ...receipt.pastFiles]);
  const restored = new Set(
    files.filter(({ original }) => original !== undefined).map(({ spot }) => spot.path),
  );

  function visit(node: TreeNode, path: string, parent: string): Leavers & { goes: boolean } {
    const goes = { goes: true, asides: [path], foreign: [] };
    if (restored.has(path)) return { goes: false, asides: [], foreign: [] };
    if (removable.has(path)) return goes;
    if (isPythonCache(node) && (made.has(parent) || isCacheOf(node, parent, compiled))) return goes;
    if (node.kind === 'folder' && (made.has(path) || holdsOurs(path))) {
      const inside = node.children.map((child) => visit(child, `${path}/${child.name}`, path));
      if (made.has(path) && inside.every((child) => child.goes)) return goes;
      return {
        goes: false,
        asides: inside.flatMap(({ asides }) => asides),
        foreign: inside.flatMap(({ foreign }) => foreign),
      };
    }
    if (force && made.has(parent)) return goes;
    return { goes: false, asides: [], foreign: [path] };
  }
  function holdsOurs(path: string): boolean {
    return files.some(({ spot }) => spot.path.startsWith(`${path}/`));
  }
  const { asides, foreign } = visit({ name: packFolder, kind: 'folder', children: pack }, packFolder, '');
  // Nothing there, nothing to remove.
  return { asides: pack.length === 0 ? [] : asides, foreign };
}

/** A `__pycache__` with nothing in it but what Python compiles. */
function isPythonCache({ name, kind, children }: TreeNode): boolean {
  return (
    name === '__pycache__' &&
    kind === 'folder' &&
    children.every((child) => child.kind === 'file' && /\.py[co](\.\d+)?$/.test(child.name))
  );
}

/** Whether all of a cache was compiled from our files. */
function isCacheOf({ children }: TreeNode, parent: string, ours: ReadonlySet<string>): boolean {
  return children.every(({ name }) => ours.has(`${parent}/${name.split('.')[0] ?? ''}.py`));
}
