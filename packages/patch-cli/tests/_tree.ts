import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder of its own for one test, gone with it. */
export function createFolder(): Disposable & { path: string } {
  // Thousands of small trees: in memory where there is such a disk.
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const path = realpathSync(mkdtempSync(join(base, 'patch-cli-')));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A file's text; a link as `{ link }`; an empty folder as null; a file with its mode as `[text, mode]`. */
export type Tree = Readonly<Record<string, string | null | { link: string } | readonly [string, number]>>;

export function writeTree(root: string, tree: Tree): void {
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (content === null) mkdirSync(path, { recursive: true });
    else if (typeof content === 'string') writeFileSync(path, content);
    else if ('link' in content) symlinkSync(content.link, path);
    else {
      writeFileSync(path, content[0]);
      chmodSync(path, content[1]);
    }
  }
}

/** What makes a folder a ComfyUI. */
export const comfyTree: Tree = {
  'main.py': 'print("main")\n',
  'server.py': '',
  'nodes.py': '',
  'comfy/sd.py': '',
  'comfyui_version.py': '__version__ = "0.3.64"\n',
  'requirements.txt': 'comfyui-frontend-package==1.27.10\ntorch\n',
  'custom_nodes/example_node.py.example': '# example\n',
  'input/example.png': 'picture',
};

export function createComfy(root: string, extra: Tree = {}): string {
  writeTree(root, comfyTree);
  writeTree(root, extra);
  return root;
}

/** What is installed in tests. */
export const payloadTree: Tree = {
  'pack/__init__.py': 'WEB_DIRECTORY = "./web"\n',
  'pack/pyproject.toml': '[project]\nname = "comfy-bridge-editor"\n',
  'pack/donor/setup.py': 'def start(): ...\n',
  'pack/web/comfy-bridge.js': 'export {};\n',
  'launcher/main_adapted.py': 'print("adapted")\n',
  'input/sample_a.png': 'sample',
};

/** A later version: one file changed, one new, one gone. */
export const laterPayloadTree: Tree = {
  'pack/__init__.py': 'WEB_DIRECTORY = "./web"  # later\n',
  'pack/pyproject.toml': '[project]\nname = "comfy-bridge-editor"\n',
  'pack/donor/lending.py': 'def lend(): ...\n',
  'pack/web/comfy-bridge.js': 'export {};\n',
  'launcher/main_adapted.py': 'print("adapted")  # later\n',
  'input/sample_a.png': 'sample',
};

/** Every path with its kind, mode, content and link target; equal texts are equal trees. */
export function describeTree(root: string, path = ''): string {
  const at = join(root, path);
  const stats = lstatSync(at);
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isSymbolicLink()) return `${path} link ${readlinkSync(at)}\n`;
  if (!stats.isDirectory())
    return `${path} file ${mode} ${createHash('sha256').update(readFileSync(at)).digest('hex')}\n`;
  const inside = readdirSync(at)
    .sort()
    .map((name) => describeTree(root, path === '' ? name : `${path}/${name}`));
  return `${path} folder ${mode}\n${inside.join('')}`;
}
