import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../bridge/tests/_start-bridge.ts';
import { runCli } from '../src/run-cli.ts';
import { compile } from './_compile.ts';

interface Ran {
  code: number;
  out: string;
  complaints: string;
}

async function cli(args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', complaints: '' };
  ran.code = await runCli(args, {
    env,
    print: (text) => (ran.out += text),
    complain: (text) => (ran.complaints += text),
  });
  return ran;
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'client-types-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const program = (lines: string) => `import { createBridge } from '@comfy-bridge/client';
import type { Workflows } from './workflows.d.ts';
const bridge = createBridge<Workflows>({ url: 'http://127.0.0.1:8000' });
${lines}
`;

test(
  'the types of all sample workflows compile, and hold what the workflows take',
  { timeout: 60_000 },
  async () => {
    await using t = await startBridge();
    const { code, out, complaints } = await cli(['types', '--url', t.url]);
    expect(complaints).toBe('');
    expect(code).toBe(0);
    for (const workflow of t.bridge.workflows.list())
      expect(out).toMatch(new RegExp(`^  "?${workflow.alias}"?: \\{$`, 'm'));
    const right = program(`
const file = new File(['x'], 'a.png');
const { outputs } = await bridge.run('image-to-image', { text: 'a castle', image: file, seed: 1n, steps: 4, denoise: 0.5 });
const type: 'image' = outputs[0]!.type;
await bridge.run('upscale', { picture: { path: 'a.png' }, factor: 2, method: 'lanczos' });
await bridge.run('upscale', { picture: null, method: undefined });
await bridge.run('upscale', { picture: { asset: outputs[0]!.id } }, { onProgress: ({ value }) => value.toFixed(2) });
const results = await bridge.runAll('upscale', { picture: file, method: ['lanczos', 'area'], factor: { each: [1, 2] } });
if (results[0]!.ok) results[0]!.outputs[0]!.type satisfies 'image';
await bridge.submitAll('text-to-image', [{ prompt: 'a' }, { prompt: 'b', seed: 2 }]);
const handle = await bridge.submit('text-to-image', {});
for await (const event of handle.events()) if (event.type === 'progress') event.data.value.toFixed();
console.log(type);
`);
    expect((await compile({ 'workflows.d.ts': out, 'program.ts': right })).errors).toEqual([]);

    const wrong = [
      `await bridge.run('image-to-imag', {});`,
      `await bridge.run('upscale', { pictur: 'x' });`,
      `await bridge.run('upscale', { factor: 'two' });`,
      `await bridge.run('upscale', { method: 'best' });`,
      `await bridge.run('upscale', { picture: 3 });`,
      `await bridge.runAll('upscale', { method: ['lanczos', 'best'] });`,
      `await bridge.submitAll('upscale', [{ method: 'best' }]);`,
      `const video: 'video' = (await bridge.run('upscale', {})).outputs[0]!.type;`,
      `await bridge.workflow('nonsense');`,
    ];
    const { errors } = await compile({ 'workflows.d.ts': out, 'program.ts': program(wrong.join('\n')) });
    const lines = errors.map((error) => Number(/program\.ts\((\d+),/.exec(error)?.[1]) - 4);
    expect([...new Set(lines)]).toEqual(wrong.map((_, index) => index));
  },
);

test(
  'hostile aliases, labels and descriptions stay within literals and comments',
  { timeout: 60_000 },
  async () => {
    await using folder = await temporaryFolder();
    await cp(workflowsDir, folder.path, { recursive: true });
    const evil =
      '*/ declare const pwned: 1; /* @ts-ignore `${1}` " \' \\ \u2028 \u202E end\n@deprecated */ }; export type X = 1; //';
    const prompt = JSON.parse(await readFile(join(folder.path, 'upscale.json'), 'utf8'));
    for (const { _meta: meta } of Object.values<{ _meta: { title: string; bridge?: { inputs?: object[] } } }>(
      prompt,
    )) {
      meta.title = evil;
      meta.bridge?.inputs?.forEach((input, index) =>
        Object.assign(input, { label: `${evil}${index}`, description: evil }),
      );
    }
    await writeFile(join(folder.path, 'upscale.json'), JSON.stringify(prompt));
    const aliases = JSON.parse(await readFile(join(folder.path, 'workflow_alias.json'), 'utf8'));
    const alias = `up"scale '\\ */ \${}; \u202e\u2066//`;
    for (const entry of aliases)
      if (entry.alias === 'upscale') Object.assign(entry, { alias, description: evil });
    await writeFile(join(folder.path, 'workflow_alias.json'), JSON.stringify(aliases));

    await using t = await startBridge({ env: { WORKFLOW_DIR: folder.path } });
    const { code, out } = await cli(['types', '--url', t.url]);
    expect(code).toBe(0);
    expect(out).toContain(`${JSON.stringify(alias).replace('\u202e\u2066', String.raw`\u202e\u2066`)}: {`);
    expect(out).not.toMatch(/[\u2028\u2029\u202e\u2066\0]/);
    const { errors } = await compile({
      'workflows.d.ts': out,
      'program.ts': program(`await bridge.run(${JSON.stringify(alias)}, {});
const exported: keyof typeof import('./workflows.d.ts') = 0 as never;
declare const names: keyof Workflows;
const known: ${JSON.stringify(alias)} | 'text-to-image' | 'image-to-image' | 'upscale-with-model' | 'blend' | 'crop-and-resize' | 'batch' | 'enhance' | 'flip-and-rotate' = names;
console.log(exported, known, pwned);`),
    });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain("Cannot find name 'pwned'");
  },
);

test('--out writes the file, --check tells whether it is what would be written', async () => {
  await using t = await startBridge();
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'workflows.d.ts');
  const args = ['types', '--url', t.url, '--out', file];
  expect(await cli([...args, '--check'])).toMatchObject({
    code: 1,
    complaints: expect.stringContaining('out of date'),
  });
  expect(await cli(args)).toEqual({ code: 0, out: '', complaints: '' });
  expect((await cli([...args, '--check'])).code).toBe(0);
  const written = await readFile(file, 'utf8');
  await writeFile(file, written.replaceAll('\n', '\r\n'));
  expect((await cli([...args, '--check'])).code).toBe(0);
  await writeFile(file, `${written}\n`);
  expect((await cli([...args, '--check'])).code).toBe(1);
  expect(await readFile(file, 'utf8')).toBe(`${written}\n`);
});

test.each<[string, string[], RegExp]>([
  ['nothing to do', [], /Say what to do/],
  ['an unknown command', ['typos'], /no command typos/],
  ['an unknown option', ['types', '--urll', 'x'], /--urll/],
  ['no URL', ['types'], /--url http/],
  ['a URL that is none', ['types', '--url', 'nonsense'], /http:\/\/127/],
  ['--check without a file', ['types', '--url', 'http://127.0.0.1:9', '--check'], /--out/],
])('wrong usage (%s) is exit code 2 with the usage', async (_, args, message) => {
  const { code, complaints, out } = await cli(args);
  expect(code).toBe(2);
  expect(complaints).toMatch(message);
  expect(complaints).toContain('Usage:');
  expect(out).toBe('');
});

test('a bridge that is not there is exit code 3 and one line', { timeout: 30_000 }, async () => {
  const { code, complaints } = await cli(['types', '--url', 'http://127.0.0.1:9']);
  expect(code).toBe(3);
  expect(complaints).toMatch(/^no answer from http:\/\/127\.0\.0\.1:9.*\n$/);
});

test('the command itself: --help, and the URL from the environment', async () => {
  await using t = await startBridge();
  const command = join(import.meta.dirname, '../src/cli.ts');
  const run = promisify(execFile);
  expect((await run(process.execPath, [command, '--help'])).stdout).toContain(
    'Usage: comfy-bridge-client types',
  );
  const env = { ...process.env, COMFY_BRIDGE_URL: t.url };
  expect((await run(process.execPath, [command, 'types'], { env })).stdout).toContain(
    'export interface Workflows',
  );
});
