import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A place for a database that does not exist yet, in a folder that does not either. */
export async function temporaryStore() {
  const root = await mkdtemp(join(tmpdir(), 'job-store-'));
  const directory = join(root, 'deeper');
  return {
    root,
    directory,
    path: join(directory, 'bridge.sqlite'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
