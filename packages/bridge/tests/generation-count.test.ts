import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ended, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-count-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

async function count(t: TestBridge): Promise<number> {
  const answer = await t.get('/generation-count');
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const text = await answer.text();
  expect(text).toMatch(/^\d+$/);
  return Number(text);
}

test('a bare number: every job that was ever accepted, however it ended; refused ones do not count', async () => {
  await using t = await startBridge();
  expect(await count(t)).toBe(0);
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  await submit(t, 'two');
  (await t.sim.nextPrompt()).fail();
  await ended(t, 'two');
  await t.post('/generate-based-workflow?clientId=three', { workflow: 'nope' });
  expect(await count(t)).toBe(2);
});

test('a job that runs again elsewhere counts once', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await t.sim.nextPrompt();
  await t.sim.restart();
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await ended(t, 'one');
  expect(await count(t)).toBe(1);
});

test('counting starts where an existing current_state.json stands, is mirrored there, and survives a restart', async () => {
  await using data = await temporaryFolder();
  const mirror = join(data.folder, 'current_state.json');
  await writeFile(mirror, '{"generation_count": 4711}');
  const options = { dataDir: data.folder, env: { JOB_STORE: 'sqlite' } };
  {
    await using t = await startBridge(options);
    expect(await count(t)).toBe(4711);
    await submit(t, 'one');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    await ended(t, 'one');
    expect(await count(t)).toBe(4712);
  }
  expect(JSON.parse(await readFile(mirror, 'utf8'))).toEqual({ generation_count: 4712 });
  await rm(mirror);
  await using t = await startBridge(options);
  expect(await count(t)).toBe(4712);
});

test('CURRENT_STATE names another file; the mirror is written while the bridge runs', async () => {
  await using data = await temporaryFolder();
  const mirror = join(data.folder, 'elsewhere', 'state.json');
  await using t = await startBridge({ env: { CURRENT_STATE: mirror } });
  await submit(t, 'one');
  const read = () => readFile(mirror, 'utf8').catch(() => '');
  await expect.poll(read, { timeout: 5_000 }).toBe('{"generation_count":1}\n');
});

test.each(['', 'nonsense', '[]', '{"generation_count":"many"}', '{"generation_count":-1}'])(
  'a current_state.json that holds "%s" stops nothing',
  async (content) => {
    await using data = await temporaryFolder();
    await writeFile(join(data.folder, 'current_state.json'), content);
    await using t = await startBridge({ sims: 0, dataDir: data.folder });
    expect(await count(t)).toBe(0);
  },
);
