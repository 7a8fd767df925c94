import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'vite';

export interface Bundle extends AsyncDisposable {
  /** Where `index.mjs`, or `node.mjs` and `cli.mjs`, are. */
  folder: string;
}

/** What `npm run build` makes of one of the two entries, in a folder of its own. */
export async function buildBundle(mode: 'production' | 'node'): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'client-bundle-'));
  await build({
    root: join(import.meta.dirname, '..'),
    mode,
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: false, sourcemap: false },
  });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
