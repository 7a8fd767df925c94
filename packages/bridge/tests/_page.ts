import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What its one script holds. */
export const script = `export const words = ${JSON.stringify('a page '.repeat(400))};\n`;

/** A page as the package builds it, and beside it what must never be served. */
export async function makePage() {
  const directory = await mkdtemp(join(tmpdir(), 'page-'));
  const dist = join(directory, 'dist');
  await mkdir(join(dist, 'console', 'deeper'), { recursive: true });
  await writeFile(join(directory, 'secret.js'), 'secret');
  await writeFile(
    join(dist, 'index.html'),
    '<!doctype html><title>page</title><script type="module" src="./console/app-1a2b3c.js"></script>',
  );
  await writeFile(join(dist, 'outside.js'), 'outside');
  await writeFile(join(dist, 'console', 'app-1a2b3c.js'), script);
  await writeFile(join(dist, 'console', 'app-1a2b3c.js.map'), '{}');
  await writeFile(join(dist, 'console', 'mark.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await writeFile(join(dist, 'console', 'face.woff2'), 'font');
  await writeFile(join(dist, 'console', 'deeper', 'file.js'), 'deeper');
  await symlink(join(directory, 'secret.js'), join(dist, 'console', 'linked.js'));
  return { dist, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
