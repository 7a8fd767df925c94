import * as fc from 'fast-check';

import type { Tree } from './_tree.ts';

/** Names as people and programs make them, ours among them. */
const name = fc.oneof(
  fc.constantFrom(
    'main_adapted.py',
    'comfy-bridge',
    '.comfy-bridge.d',
    '__pycache__',
    'donor',
    'web',
    'comfy-bridge.js',
    'sample_a.png',
    'donor.json',
    ' ',
    '-rf',
    'a b',
    'ü한글🙂',
    'new\nline',
    '$HOME',
    '*.py',
    'CON',
    '.hidden',
    'x'.repeat(120),
  ),
  fc.stringMatching(/^[A-Za-z0-9_.~!@#%^&()+=,' -]{1,12}$/).filter((text) => !/^\.{1,2}$/.test(text)),
);

const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o444, 0o400, 0o777);
const content = fc.oneof(fc.constantFrom('', 'text\n', '{}'), fc.string({ maxLength: 200 }));
const entry = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(content, mode) },
  { weight: 1, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('/nowhere', '..', 'main.py', '../../outside', '.').map((link) => ({ link })),
  },
);

/** Where random files go: the places that the installer comes near, and one that it does not. */
const folder = fc.constantFrom(
  'models',
  'custom_nodes',
  'custom_nodes/other pack',
  'custom_nodes/comfy-bridge-like',
  'input',
  'input/sub',
  'user/default',
);

const somewhere = fc.tuple(folder, fc.array(name, { minLength: 1, maxLength: 3 }), entry);

/** Something that is there at one of our own paths before us; each may be there or not. */
const atOurPaths = fc.record(
  {
    'main_adapted.py': fc.tuple(content, mode),
    'input/sample_a.png': fc.tuple(content, mode),
    '.comfy-bridge/donor.json': fc.tuple(
      fc.constantFrom('{}', '{"token":"0123456789abcdef0"}', '{"schedule":"22:00-08:00"}\n'),
      mode,
    ),
    '.comfy-bridge/somebody.txt': fc.tuple(content, mode),
    '.comfy-bridge/run/kept.json': fc.tuple(content, mode),
    '.comfy-bridge/sub': fc.constant(null),
    'custom_nodes/comfy-bridge': fc.constant(null),
    'custom_nodes/comfy-bridge/__init__.py': fc.tuple(content, mode),
    'custom_nodes/comfy-bridge/web/comfy-bridge.js': fc.tuple(fc.constantFrom('export {};\n', 'other'), mode),
    'custom_nodes/comfy-bridge/web/more.js': fc.tuple(content, mode),
    'custom_nodes/comfy-bridge/donor': fc.constant(null),
    'custom_nodes/comfy-bridge/__pycache__/other.cpython-312.pyc': fc.tuple(content, mode),
  },
  { requiredKeys: [] },
);

/** A ComfyUI's surroundings, without what makes it one. */
export const randomTree: fc.Arbitrary<Tree> = fc
  .tuple(fc.array(somewhere, { maxLength: 12 }), atOurPaths)
  .map(([random, ours]) => {
    const tree: Record<string, Tree[string]> = {};
    for (const [path, found] of Object.entries(ours)) if (found !== undefined) tree[path] = found;
    for (const [folder, names, found] of random) {
      const path = `${folder}/${names.join('/')}`;
      if (isFree(path, tree)) tree[path] = found;
    }
    return tree;
  });

/** A path can be added when nothing is at it, below it, or is a file or link on the way to it. Our own paths are chosen apart. */
function isFree(path: string, tree: Readonly<Record<string, unknown>>): boolean {
  if (/^(custom_nodes\/comfy-bridge|input\/sample_a\.png)(\/|$)/.test(path)) return false;
  // A second copy of the pack is refused, as it should be.
  if (/^custom_nodes\/[^/]+\/web\/comfy-bridge\.js$/.test(path)) return false;
  const taken = [
    'main.py',
    'input/example.png',
    'custom_nodes/example_node.py.example',
    ...Object.keys(tree),
  ];
  return taken.every(
    (other) =>
      other !== path &&
      !other.startsWith(`${path}/`) &&
      !(path.startsWith(`${other}/`) && tree[other] !== null),
  );
}
