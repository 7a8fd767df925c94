// Puts what is installed beside the built command: the pack with its built editor part, the launcher, the samples' pictures.
import { copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const extension = join(root, 'packages/comfy-extension');
const workflows = join(root, 'workflows');
const dist = join(import.meta.dirname, '../dist');
const payload = join(dist, 'payload');

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(join(payload, to)), { recursive: true });
  await copyFile(from, join(payload, to));
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => pattern.test(name)).sort();
}

/** The pictures that a sample names as its own input, and that lie in workflows/input. */
async function samplePictures(): Promise<string[]> {
  const texts = await Promise.all(
    (await namesIn(workflows, /\.json$/)).map((name) => readFile(join(workflows, name), 'utf8')),
  );
  const pictures = await namesIn(join(workflows, 'input'), /\.(png|jpe?g|webp)$/i);
  return pictures.filter((picture) => texts.some((text) => text.includes(`"image": "${picture}"`)));
}

await rm(payload, { recursive: true, force: true });
for (const name of ['__init__.py', 'pyproject.toml', 'web/comfy-bridge.js'])
  await copy(join(extension, name), `pack/${name}`);
for (const name of await namesIn(join(extension, 'donor'), /\.py$/))
  await copy(join(extension, 'donor', name), `pack/donor/${name}`);
await copy(join(root, 'LICENSE'), 'pack/LICENSE');
for (const name of await namesIn(join(import.meta.dirname, '../launcher'), /^main_adapted\.py$/))
  await copy(join(import.meta.dirname, '../launcher', name), `launcher/${name}`);
for (const name of await samplePictures()) await copy(join(workflows, 'input', name), `input/${name}`);

// What is bundled into the command asks for its licence beside it.
await copyFile(join(root, 'LICENSE'), join(dist, 'LICENSE'));
await copyFile(join(import.meta.dirname, '../node_modules/zod/LICENSE'), join(dist, 'LICENSE.zod'));
