import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  addressedBackendSchema,
  backendSchema,
  bridgeJobListSchema,
  bridgeJobSchema,
  createdKeySchema,
  keyListSchema,
  leavingBackendSchema,
  placementSchema,
  publishedWorkflowSchema,
  v2JobSchema,
  workflowDetailSchema,
  workflowListSchema,
  workflowVersionsSchema,
} from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { cli, temporaryFolder } from './_cli.ts';
import type { CliOptions } from './_cli.ts';
import { createKey, operatorToken, startKeyed } from './_keys.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import { copyWorkflows } from './_workflow-folder.ts';

const free = { mode: 'free', runMs: 0 } as const;

/** Runs a command twice: for people, and as JSON, which must be what the protocol says. */
async function both(schema: z.ZodType, args: string[], options: CliOptions): Promise<string> {
  const shown = await cli(args, options);
  expect(shown.code, shown.stderr).toBe(0);
  const printed = await cli([...args, '--json'], options);
  expect(printed.code, printed.stderr).toBe(0);
  schema.parse(JSON.parse(printed.stdout));
  return shown.stdout;
}

test('what is there can be looked at, by people and as the JSON of the API', async () => {
  await using t = await startBridge({ sim: free });
  const { url } = t;
  const submitted = await cli(['run', 'text-to-image', '--no-wait', '-i', 'prompt=등대'], { url });
  const id = submitted.stdout.trim();
  expect((await cli(['jobs', 'watch', id], { url })).code).toBe(0);
  expect(await both(workflowListSchema, ['workflows'], { url })).toMatch(/^NAME .*\ntext-to-image +yes +7 /);
  expect(await both(workflowDetailSchema, ['workflows', 'show', 'upscale'], { url })).toMatch(
    /factor +Factor +float +2 [^]*comfy-bridge run upscale --image picture=/,
  );
  expect(await both(z.array(addressedBackendSchema), ['backends'], { url })).toMatch(/backend-1 +ready /);
  expect(await both(placementSchema, ['backends', 'why', 'upscale'], { url })).toMatch(/goes to +backend-1/);
  expect(await both(bridgeJobListSchema, ['jobs', '--workflow', 'text-to-image'], { url })).toContain(id);
  expect(await both(bridgeJobSchema, ['jobs', 'show', id], { url })).toMatch(/1 +backend-1 +succeeded/);
  expect((await cli(['jobs', '--status', 'failed'], { url })).stdout).not.toContain(id);
  expect(await cli(['jobs', 'show', 'nobody'], { url })).toMatchObject({ code: 3, stdout: '' });
});

test('a machine is added, kept from work, brought back and removed', async () => {
  await using t = await startBridge({ sims: 2, sim: free, env: { COMFYUI_SERVERS: 'none' }, ready: false });
  const { url } = t;
  const address = t.sim.address;
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'token'), 'secret-of-the-machine\n');
  const added = await cli(
    [
      'backends',
      'add',
      address,
      '--name',
      'studio',
      '--token-file',
      'token',
      '--tags',
      'a,b',
      '--weight',
      '2',
      '--json',
    ],
    { url, cwd: folder.path },
  );
  expect(added.code, added.stderr).toBe(0);
  expect(backendSchema.parse(JSON.parse(added.stdout))).toMatchObject({ tags: ['a', 'b'], weight: 2 });
  for (const action of ['drain', 'resume', 'pause'])
    expect((await both(backendSchema, ['backends', action, 'studio'], { url })).startsWith('studio ')).toBe(
      true,
    );
  await expect.poll(async () => (await cli(['backends'], { url })).stdout).toMatch(/studio +paused/);
  const removed = await cli(['backends', 'remove', 'studio', '--now', '--json'], { url });
  leavingBackendSchema.parse(JSON.parse(removed.stdout));
  await expect.poll(async () => (await cli(['backends'], { url })).stdout).not.toContain('studio');
  const unknown = await cli(['backends', 'drain', 'studio'], { url });
  expect(unknown).toMatchObject({ code: 3, stderr: expect.stringMatching(/no backend of that name/) });
});

test('a workflow is published with its digits, versions are kept, and it comes back after it was removed', async () => {
  await using folder = await copyWorkflows({});
  await using t = await startBridge({ sim: free, env: { WORKFLOW_DIR: folder.path } });
  const { url } = t;
  const text = await readFile(join(workflowsDir, 'text-to-image.json'), 'utf8');
  const wide = text.replace(/"seed": \d+/, '"seed": 18446744073709551615');
  expect(wide).not.toBe(text);
  await writeFile(join(folder.path, 'wide.json.txt'), wide);
  const publish = ['workflows', 'publish', '내 그림', 'wide.json.txt', '--description', '설명', '--new'];
  const first = await cli([...publish, '--json'], { url, cwd: folder.path });
  expect(first.code, first.stderr).toBe(0);
  publishedWorkflowSchema.parse(JSON.parse(first.stdout));
  expect(await cli(publish, { url, cwd: folder.path })).toMatchObject({ code: 3 });
  expect((await cli(['workflows', 'file', '내 그림'], { url })).stdout).toContain('18446744073709551615');
  const piped = await cli(['workflows', 'publish', '내 그림', '-'], { url, stdin: text });
  expect(piped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^내 그림 is published, version/) });
  expect(await both(workflowVersionsSchema, ['workflows', 'versions', '내 그림'], { url })).toMatch(
    / \* +\d{4}-/,
  );
  const removed = await cli(['workflows', 'remove', '내 그림'], { url });
  expect(removed).toMatchObject({ code: 0, stderr: expect.stringMatching(/versions are kept/) });
  expect((await cli(['workflows', 'show', '내 그림'], { url })).code).toBe(3);
  const { version } = JSON.parse(first.stdout) as { version: string };
  expect(
    await both(publishedWorkflowSchema, ['workflows', 'restore', '내 그림', version], { url }),
  ).toContain(version);
  const broken = await cli(['workflows', 'publish', 'x', '-'], { url, stdin: '{"1": ' });
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not JSON/) });
});

test('a job that waits is moved up and canceled', async () => {
  await using t = await startBridge();
  const { url } = t;
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1)
    ids.push((await cli(['run', 'text-to-image', '--no-wait'], { url })).stdout.trim());
  const [, , last = ''] = ids;
  const moved = await cli(['jobs', 'priority', last, '-2', '--json'], { url });
  expect(bridgeJobSchema.parse(JSON.parse(moved.stdout)).priority).toBe(-2);
  const canceled = await cli(['jobs', 'cancel', ...ids], { url });
  expect(canceled).toMatchObject({ code: 0 });
  expect(
    canceled.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(ids);
  const again = await cli(['jobs', 'cancel', last, '--json'], { url });
  expect(v2JobSchema.parse(JSON.parse(again.stdout)).status).toBe('canceled');
});

test('keys come from the environment or a file, and what is wrong with them is told apart', async () => {
  await using t = await startKeyed();
  const { url } = t;
  await using folder = await temporaryFolder();
  const { key } = await createKey(t, { role: 'client' });
  await writeFile(join(folder.path, 'key'), `${key}\n`);
  const asked = await cli(['workflows'], { url });
  expect(asked).toMatchObject({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/COMFY_BRIDGE_KEY.*--key-file/),
  });
  const wrong = await cli(['workflows'], { url, env: { COMFY_BRIDGE_KEY: 'not-a-key' } });
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringMatching(/wrong, expired or revoked/) });
  expect((await cli(['workflows', '--key-file', 'key'], { url, cwd: folder.path })).code).toBe(0);
  const small = await cli(['backends', '--key-file', 'key'], { url, cwd: folder.path });
  expect(small).toMatchObject({ code: 3, stderr: expect.stringMatching(/role operator/) });
  expect((await cli(['backends'], { url, env: { COMFY_BRIDGE_KEY: operatorToken } })).code).toBe(0);
  expect(await cli(['workflows', '--key-file', 'nowhere'], { url })).toMatchObject({ code: 1 });
  const { stdout, code } = await cli(['run', 'text-to-image', '--json', '--key-file', 'key'], {
    url,
    cwd: folder.path,
  });
  expect(code).toBe(0);
  expect(bridgeJobSchema.parse(JSON.parse(stdout)).status).toBe('succeeded');
});

test('keys prints JSON as well, and the rest as before', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: folder.path };
  const made = await cli(['keys', 'create', '--name', 'shop', '--json'], { env });
  expect(createdKeySchema.parse(JSON.parse(made.stdout)).key).toMatch(/^cbk_/);
  const listed = await cli(['keys', 'list', '--json'], { env });
  expect(keyListSchema.parse(JSON.parse(listed.stdout)).keys).toHaveLength(1);
  expect((await cli(['keys', 'list'], { env })).stdout).toMatch(/^\w{12} {2}active {3}client .* shop\n$/);
  expect(await cli(['keys', 'create'], { env })).toMatchObject({ code: 1, stdout: '' });
  expect(await cli(['keys', '--help'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^usage: comfy/),
  });
});

test('where nothing listens, and where something else does, is exit code 4 with what to do', async () => {
  const nobody = await cli(['jobs'], { url: 'http://127.0.0.1:65432' });
  expect(nobody).toMatchObject({ code: 4, stdout: '', stderr: expect.stringMatching(/COMFY_BRIDGE_URL/) });
  const settings = await cli(['jobs'], { env: { PORT: '65431', BASE_PATH: '/comfy' } });
  expect(settings).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/:65431\/comfy.*comfy-bridge start/),
  });
  await using t = await startBridge({ sims: [free] });
  const comfy = await cli(['workflows'], { url: `http://${t.sim.address}` });
  expect(comfy.code, comfy.stderr).toBeGreaterThan(2);
});

test('a backup is made and checked through the command line', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA_DIR: join(folder.path, 'data') };
  expect((await cli(['keys', 'create', '--name', 'shop'], { env })).code).toBe(0);
  const target = join(folder.path, 'backup.tar');
  const made = await cli(['backup', target], { env });
  expect(made, made.stderr).toMatchObject({ code: 0, stdout: `${target}\n` });
  expect((await cli(['restore', '--check', target], { env })).code).toBe(0);
  expect(await cli(['restore', '--help'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^usage/),
  });
  expect(await cli(['backup'], { env })).toMatchObject({ code: 1, stdout: '' });
});
