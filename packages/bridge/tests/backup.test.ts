import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { PromptRun } from '@comfy-bridge/comfy-sim';
import type { Base64Results } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { runKeysCommand } from '../src/keys-command.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import { readManifest, runCommand, temporaryPlace } from './_backups.ts';
import { bearer, operatorToken } from './_keys.ts';
import { fileOf, graphOf, makeFolder, publish, restore, versionsOf } from './_publish.ts';
import { ended, parseBody, submit, uploadOne } from './_requests.ts';
import { workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const oneAtATime = { BACKEND_SLOTS: '1' };

async function resultsOf(t: TestBridge, clientId: string): Promise<string[]> {
  const { files } = await parseBody<Base64Results>(t.get(`/history?clientId=${clientId}&resType=base64`));
  return files.map((file) => JSON.stringify(file));
}

test.each(['copy', 'copy.tar'])(
  'a backup (%s) that was made while jobs ended, ran and waited loses nothing when it is restored elsewhere',
  async (name) => {
    await using place = await temporaryPlace();
    await using folder = await makeFolder({ samples: true });
    await using world = await startWorld(1, {});
    const { sim } = world;
    const env = { ...oneAtATime, ...folder.env };
    const png = await readFile(join(workflowsDir, 'input/sample_a.png'));
    let results: string[];
    let version: string;
    let running: PromptRun;
    {
      await using t = await world.start({ env });
      await publish(t, 'mine', { workflow: graphOf(64) });
      ({ version } = await publish(t, 'mine', { workflow: graphOf(128), previous: undefined }, 200));
      await submit(t, 'done');
      await (await sim.nextPrompt()).finish({ images: 2 });
      await ended(t, 'done');
      await submit(t, 'runs');
      running = await sim.nextPrompt();
      const saved = await uploadOne(t, png);
      await submit(t, 'waits', { workflow: 'image-to-image', '10/image': saved });
      await uploadOne(t, png, 'not-used.png');

      const made = await runCommand('backup', [place.path(name)], { DATA_DIR: world.dataDir, ...env });
      expect(made, made.stderr).toMatchObject({ code: 0, stdout: `${place.path(name)}\n` });
      expect(made.stderr).toContain('Backed up 3 jobs (1 waiting, 1 running)');
      expect(await readdir(join(world.dataDir, 'tmp'))).toEqual([]);
      results = await resultsOf(t, 'done');
      expect(results).toHaveLength(2);
    }
    // Its bridge is gone for good; the machine ends what it had begun.
    await running.finish({ images: 1 });

    const elsewhere = { ...oneAtATime, WORKFLOW_DIR: place.path('workflows'), DATA_DIR: place.path('data') };
    const restored = await runCommand('restore', [place.path(name)], elsewhere);
    expect(restored, restored.stderr).toMatchObject({ code: 0, stdout: `${place.path('data')}\n` });
    expect(restored.stderr).toContain('Restored 3 jobs (1 waiting, 1 running)');
    await using t = await world.start({ dataDir: place.path('data'), env: elsewhere });
    expect(await resultsOf(t, 'done')).toEqual(results);
    void sim.nextPrompt().then((run) => run.finish({ images: 1 }));
    for (const clientId of ['runs', 'waits']) {
      expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
      expect(await resultsOf(t, clientId)).toHaveLength(1);
    }
    expect(await parseBody(t.get('/generation-count'))).toBe(3);
    const { versions } = await versionsOf(t, 'mine');
    expect(versions).toMatchObject([{ version }, {}]);
    expect(JSON.parse(await fileOf(t, 'mine'))['10'].inputs.width).toBe(128);
    expect((await restore(t, 'mine', versions[1]?.version ?? '')).status).toBe(200);
    expect(t.errors).toEqual([]);
  },
);

test('keys are good where a backup was restored, and only their digests are in it', async () => {
  await using place = await temporaryPlace();
  await using world = await startWorld(1, { mode: 'free', runMs: 0 });
  const env = { KEYS: 'required', OPERATOR_TOKEN: operatorToken };
  await using _ = await world.start({ env });
  let token = '';
  const parsed = parseConfig({ cwd: world.dataDir, env: { DATA_DIR: world.dataDir } });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  await runKeysCommand(['create', '--name', 'shop'], parsed.config, {
    stdout: { write: (text) => (token = text.trim()) },
    stderr: { write: () => {} },
  });
  const backup = place.path('copy');
  expect((await runCommand('backup', [backup], { DATA_DIR: world.dataDir })).code).toBe(0);
  const secret = token.split('_').at(-1) ?? '';
  expect(secret.length).toBeGreaterThan(20);
  for (const { path } of (await readManifest(backup)).files)
    expect((await readFile(join(backup, path))).includes(secret), path).toBe(false);

  const data = place.path('data');
  expect((await runCommand('restore', [backup], { DATA_DIR: data })).code).toBe(0);
  await using again = await world.start({ dataDir: data, env });
  expect((await again.get('/workflow-list', { headers: bearer(token) })).status).toBe(200);
});

test('everything in a backup, and everything restored, is for the user of the bridge alone', async () => {
  if (process.platform === 'win32') return;
  await using place = await temporaryPlace();
  await using world = await startWorld(1, { mode: 'free', runMs: 0 });
  await using t = await world.start();
  await submit(t, 'done');
  await ended(t, 'done');
  const folder = place.path('copy');
  const archive = place.path('copy.tar');
  const settings = { DATA_DIR: world.dataDir, WORKFLOW_DIR: workflowsDir };
  for (const target of [folder, archive])
    expect((await runCommand('backup', [target], settings)).code).toBe(0);
  const restored = { DATA_DIR: place.path('data'), WORKFLOW_DIR: place.path('workflows') };
  expect((await runCommand('restore', [archive], restored)).code).toBe(0);
  expect((await stat(archive)).mode & 0o777).toBe(0o600);
  for (const root of [folder, restored.DATA_DIR]) {
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name === 'bridge.lock') continue;
      expect((await stat(join(entry.parentPath, entry.name))).mode & 0o777, entry.name).toBe(0o600);
    }
  }
});

test(
  'while results come and are fetched all the time, each backup has every file that it names',
  { timeout: 60_000 },
  async () => {
    await using place = await temporaryPlace();
    await using world = await startWorld(2, { mode: 'free', runMs: 5 });
    await using t = await world.start();
    const clientele = { goesOn: true };
    async function client(number: number): Promise<void> {
      for (let turn = 0; clientele.goesOn; turn += 1) {
        const clientId = `c${number}-${turn}`;
        await submit(t, clientId, { '6/text': clientId });
        await ended(t, clientId);
        // Every third is left to be fetched by nobody.
        if (turn % 3 > 0) await (await t.get(`/history?clientId=${clientId}`)).arrayBuffer();
      }
    }
    const clients = [1, 2].map(client);
    await t.nextEvent('job:delivered');
    let results = 0;
    for (let round = 0; round < 3; round += 1) {
      const backup = place.path(`copy-${round}`);
      const made = await runCommand('backup', [backup], { DATA_DIR: world.dataDir });
      expect(made.code, made.stderr).toBe(0);
      expect(made.stderr).not.toContain('warning');
      expect(await runCommand('restore', ['--check', backup], {})).toMatchObject({ code: 0 });
      const { files } = await readManifest(backup);
      results += files.filter(({ path }) => path.startsWith('data/results/')).length;
    }
    clientele.goesOn = false;
    await Promise.all(clients);
    expect(results).toBeGreaterThan(0);
    expect(t.errors).toEqual([]);
  },
);

test('a backup is not made over another, from nothing, or of what is not there', async () => {
  await using place = await temporaryPlace();
  const refused = async (args: string[], env: Record<string, string>, why: RegExp) => {
    const made = await runCommand('backup', args, env);
    expect(made).toMatchObject({ code: 1, stdout: '' });
    expect(made.stderr).toMatch(why);
  };
  const empty = { DATA_DIR: place.path('data') };
  await refused([place.path('copy')], empty, /is that the DATA_DIR of the bridge/);
  await refused([place.path('copy')], { ...empty, JOB_STORE: 'memory' }, /keeps nothing on disk/);
  await refused([], empty, /usage: comfy-bridge backup/);
  await refused(['a', 'b'], empty, /usage/);
  await using world = await startWorld();
  await using _ = await world.start();
  const settings = { DATA_DIR: world.dataDir };
  await mkdir(place.path('there'));
  await refused([place.path('there')], settings, /is there already/);
  await refused([place.path('no/such/folder')], settings, /there is no folder/);
  expect(await readdir(join(world.dataDir, 'tmp'))).toEqual([]);
});

test('a file that somebody has removed is told, and the rest is backed up', async () => {
  await using place = await temporaryPlace();
  await using world = await startWorld(1, { mode: 'free', runMs: 0 });
  {
    await using t = await world.start();
    for (const clientId of ['one', 'other']) {
      await submit(t, clientId);
      await ended(t, clientId);
    }
  }
  const [first = ''] = await readdir(join(world.dataDir, 'results'));
  await rm(join(world.dataDir, 'results', first));
  const made = await runCommand('backup', [place.path('copy')], { DATA_DIR: world.dataDir });
  expect(made.code).toBe(0);
  expect(made.stderr).toMatch(/warning: 1 file that jobs name had been removed before: results\//);
  const { files } = await readManifest(place.path('copy'));
  expect(files.filter(({ path }) => path.startsWith('data/results/'))).toHaveLength(1);
});
