import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const package_ = join(import.meta.dirname, '..');
const tsc = join(package_, '../../node_modules/.bin/tsc');

const run = promisify(execFile);

export interface Compiled {
  /** What the compiler complains about, one line each, without the path. */
  errors: string[];
}

/** Type-checks a few files as a program of a user, in which `@comfy-bridge/client` is what a build of this package declares. */
export async function compile(files: Readonly<Record<string, string>>): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), 'client-compile-'));
  try {
    await run(tsc, ['-p', join(package_, 'tsconfig.build.json'), '--outDir', join(folder, 'types')]);
    const options = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: ['node'],
      typeRoots: [join(package_, '../../node_modules/@types')],
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      paths: { '@comfy-bridge/client': ['./types/node.d.ts'] },
    };
    const config = { compilerOptions: options, files: Object.keys(files) };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const { stdout } = await run(tsc, ['-p', folder, '--pretty', 'false'], {
      cwd: folder,
    }).catch((error: { stdout: string }) => error);
    return { errors: stdout.split('\n').filter((line) => line.includes('error TS')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
