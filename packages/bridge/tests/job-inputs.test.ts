import { rm } from 'node:fs/promises';

import { bridgeJobSchema, jobInputsSchema, v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { assetOf, photo, png, postAsset } from './_assets.ts';
import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { readJob, send } from './_named.ts';
import { parseBody, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { copyWorkflows } from './_workflow-folder.ts';

const free = { mode: 'free', runMs: 0 } as const;

const inputsOf = async (t: TestBridge, id: string, headers = {}) =>
  jobInputsSchema.parse(await parseBody(t.get(`/api/bridge/jobs/${id}/inputs`, { headers })));

const retry = (t: TestBridge, id: string, headers = {}) =>
  t.post(`/api/bridge/jobs/${id}/retry`, undefined, { headers });

async function refusal(answer: Promise<Response>): Promise<unknown> {
  const response = await answer;
  return [response.status, (await parseBody<{ error: unknown }>(response)).error];
}

test('the values that a job ran with can be sent again as they are told, big numbers too', async () => {
  await using t = await startBridge({ sim: free });
  const sent = { prompt: 'a lighthouse\nat dawn', seed: 18446744073709551615n, steps: 7 };
  const body = `{"inputs": {"prompt": "a lighthouse\\nat dawn", "seed": 18446744073709551615, "steps": 7}}`;
  const answer = await t.post('/api/bridge/workflows/text-to-image/jobs', body);
  const { id } = v2JobSchema.parse(await parseBody(answer));
  const told = await inputsOf(t, id);
  expect(told).toMatchObject({ workflow: 'text-to-image', is_published: true, files: {} });
  expect(told.inputs).toMatchObject({ ...sent, seed: '18446744073709551615' });
  const again = await readJob(send(t, told.inputs), 201);
  expect((await inputsOf(t, again.id)).inputs).toEqual(told.inputs);
  const listed = bridgeJobSchema.parse(await parseBody(t.get(`/api/bridge/jobs/${id}`)));
  expect(listed.inputs_summary).toBe('a lighthouse at dawn');
});

test('files are told by their names, and can be read while they are there', async () => {
  await using t = await startKeyed();
  const key = await createKey(t);
  const mine = bearer(key.key);
  const asset = await assetOf(postAsset(t, { bytes: png, fields: photo, headers: mine }), 201);
  const job = await readJob(send(t, { picture: asset.id }, { headers: mine, workflow: 'upscale' }), 201);
  const told = await inputsOf(t, job.id, mine);
  expect(told.inputs['picture']).toBe(asset.id);
  expect(told.files['picture']).toEqual({
    file_name: asset.file_path?.split('/').at(-1),
    content_type: 'image/png',
    url: `/api/v2/assets/${asset.id}/content`,
  });
  const file = await t.get(told.files['picture']?.url ?? '', { headers: mine });
  expect(Buffer.from(await file.arrayBuffer()).equals(png)).toBe(true);
  const gone = await t.get(`/api/v2/assets/${asset.id}`, { method: 'DELETE', headers: mine });
  expect(gone.status).toBe(204);
  expect((await inputsOf(t, job.id, mine)).files['picture']?.url).toBeNull();
});

test('a job is run once more with the same values and files, as a job of its own', async () => {
  await using t = await startBridge();
  const picture = await uploadOne(t, png);
  const first = await readJob(send(t, { picture }, { workflow: 'upscale' }), 201);
  const run = await t.sim.nextPrompt();
  await run.finish({ images: 1 });
  const answer = await retry(t, first.id);
  expect(answer.status).toBe(201);
  const second = v2JobSchema.parse(await parseBody(answer));
  expect(answer.headers.get('location')).toBe(second.urls.self);
  expect(second.id).not.toBe(first.id);
  expect(await inputsOf(t, second.id)).toEqual(await inputsOf(t, first.id));
  await (await t.sim.nextPrompt()).finish({ images: 1 });
});

test('a job whose file is gone is not run, and the answer says which', async () => {
  await using t = await startBridge({ sim: free });
  const asset = await assetOf(postAsset(t, { bytes: png, fields: photo }), 201);
  const done = t.nextEvent('job:finished');
  const { id } = await readJob(send(t, { picture: asset.id }, { workflow: 'upscale' }), 201);
  const [staged] = (await done).job.stagedInputs;
  if (staged?.source.kind !== 'upload') throw new Error('nothing was staged');
  await rm(`${t.dataDir}/uploads`, { recursive: true });
  await t.get(`/api/v2/assets/${asset.id}`, { method: 'DELETE' });
  expect(await refusal(retry(t, id))).toEqual([
    409,
    expect.objectContaining({
      code: 'conflict',
      message: expect.stringContaining(`the file of ${staged.nodeId}/${staged.inputName} is gone`),
    }),
  ]);
});

test("another's job is not there, and a job that is run again is the caller's own", async () => {
  await using t = await startKeyed();
  const [one, other] = [await createKey(t), await createKey(t)];
  const { id } = await readJob(send(t, {}, { headers: bearer(one.key) }), 201);
  for (const method of ['GET', 'POST'])
    expect(
      await refusal(
        t.get(`/api/bridge/jobs/${id}/${method === 'GET' ? 'inputs' : 'retry'}`, {
          method,
          headers: bearer(other.key),
        }),
      ),
    ).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  const made = v2JobSchema.parse(await parseBody(retry(t, id, bearer(operatorToken))));
  const own = await t.get(`/api/bridge/jobs/${made.id}`, { headers: bearer(one.key) });
  expect(own.status).toBe(404);
  await own.arrayBuffer();
});

test('what a caller may not run any more is not run again either', async () => {
  await using folder = await copyWorkflows({});
  await using t = await startKeyed({
    env: { WORKFLOW_DIR: folder.path, ALLOW_ANY_WORKFLOW: 'operator' },
  });
  const operator = { headers: bearer(operatorToken) };
  const workflow = await parseBody(t.get('/api/bridge/workflows/text-to-image/file', operator));
  const publish = async (init: RequestInit) =>
    (await t.get('/api/bridge/workflows/fresh', { ...operator, ...init })).status;
  expect(await publish({ method: 'PUT', body: JSON.stringify({ workflow }) })).toBe(201);
  const key = await createKey(t);
  const { id } = await readJob(send(t, {}, { headers: bearer(key.key), workflow: 'fresh' }), 201);
  // A key that was made for others since.
  const narrowed = await t.get(`/api/bridge/keys/${key.id}`, {
    ...operator,
    method: 'PATCH',
    body: JSON.stringify({ workflows: ['upscale'] }),
  });
  expect(narrowed.status).toBe(200);
  expect((await refusal(retry(t, id, bearer(key.key)))) as unknown[]).toContain(409);
  expect(await inputsOf(t, id, bearer(key.key))).toMatchObject({ is_published: false, inputs: {} });
  await t.get(`/api/bridge/keys/${key.id}`, {
    ...operator,
    method: 'PATCH',
    body: JSON.stringify({ workflows: null }),
  });
  expect((await retry(t, id, bearer(key.key))).status).toBe(201);
  expect(await publish({ method: 'DELETE' })).toBe(204);
  expect((await refusal(retry(t, id, bearer(key.key)))) as unknown[]).toContain(409);
  expect((await retry(t, id, bearer(operatorToken))).status).toBe(201);
});
