import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBridge, workflowsDir } from '../../bridge/tests/_start-bridge.ts';
import type { TestBridge } from '../../bridge/tests/_start-bridge.ts';
import { readBlocks } from './_blocks.ts';
import { compile } from './_compile.ts';

const run = promisify(execFile);
const source = join(import.meta.dirname, '../src');
const blocks = await readBlocks();
const programs = blocks.filter(({ language }) => language === 'ts');

describe('the examples of the README', () => {
  let t: TestBridge;
  let folder: string;

  beforeAll(async () => {
    t = await startBridge({ sim: { mode: 'free', stepMs: 5, previews: true } });
    folder = await mkdtemp(join(tmpdir(), 'client-readme-'));
    await copyFile(join(workflowsDir, 'input/sample_a.png'), join(folder, 'photo.png'));
  });

  afterAll(async () => {
    await t[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('every block is one that is run here, in browser.test.ts or in packed.test.ts', () => {
    expect(programs.length).toBeGreaterThan(7);
    expect([...new Set(blocks.map(({ language }) => language))].toSorted()).toEqual(['html', 'sh', 'ts']);
  });

  test('the commands write types that are up to date', async () => {
    const commands = blocks.flatMap(({ language, code }) =>
      language === 'sh' ? code.split('\n').filter((line) => line.startsWith('npx ')) : [],
    );
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const [, name, ...args] = command.replace('http://127.0.0.1:8000', t.url).split(' ');
      expect(name).toBe('comfy-bridge-client');
      await run(process.execPath, [join(source, 'cli.ts'), ...args], { cwd: folder });
    }
    expect(await readFile(join(folder, 'workflows.d.ts'), 'utf8')).toContain('upscale');
  });

  test.each(programs)('the program of line $line runs', { timeout: 30_000 }, async ({ code, line }) => {
    const file = join(folder, `line-${line}.ts`);
    const program = code
      .replaceAll('http://127.0.0.1:8000', t.url)
      .replaceAll(`'@comfy-bridge/client'`, JSON.stringify(join(source, 'node.ts')));
    await writeFile(file, program);
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout).not.toBe('');
    expect(stdout).not.toContain('aborted');
  });

  test('the programs compile', { timeout: 30_000 }, async () => {
    const files = Object.fromEntries(programs.map(({ code, line }) => [`line-${line}.ts`, code]));
    const types = await readFile(join(folder, 'workflows.d.ts'), 'utf8');
    expect((await compile({ ...files, 'workflows.d.ts': types })).errors).toEqual([]);
  });
});
