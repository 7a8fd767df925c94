import { expect, test } from 'vitest';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { readJob, readRefusal, send } from './_named.ts';
import { make, makeUpload, uploadForm } from './_owned-things.ts';
import { graphOf, makeFolder } from './_publish.ts';
import { detailOf, parseBody } from './_requests.ts';
import { startWorld } from './_world.ts';

test('for a key that was made for some workflows the others are not there', async () => {
  await using t = await startKeyed();
  const { key } = await createKey(t, { workflows: ['text-*'] });
  const headers = bearer(key);
  expect(await (await t.get('/workflow-list', { headers })).json()).toEqual(['text-to-image']);
  const { workflows } = await parseBody<{ workflows: { alias: string }[] }>(
    t.get('/api/bridge/workflows', { headers }),
  );
  expect(workflows.map(({ alias }) => alias)).toEqual(['text-to-image']);
  await readJob(send(t, {}, { headers }));
  for (const alias of ['upscale', 'nope', 'upscale.json']) {
    const refusal = await readRefusal(send(t, {}, { headers, workflow: alias }));
    expect(refusal, alias).toMatchObject({ status: 404, code: 'not_found' });
    expect(refusal.message).toBe(`there is no workflow "${alias}". Known workflows: text-to-image`);
    const told = [
      await t.get(`/workflow-info?workflow=${alias}`, { headers }),
      await t.post('/generate-based-workflow?clientId=one', { workflow: alias }, { headers }),
    ];
    for (const answer of told) {
      expect(answer.status).toBe(400);
      expect(await detailOf(answer)).toBe(refusal.message);
    }
    for (const path of ['', '/thumbnail', '/placement'])
      expect((await t.get(`/api/bridge/workflows/${alias}${path}`, { headers })).status).toBe(404);
  }
  const document = await (await t.get('/openapi.json', { headers })).text();
  expect(document.includes('/workflows/upscale/jobs')).toBe(false);
  const graph = { workflow: graphOf(64) };
  expect((await t.post('/api/v2/jobs', graph, { headers })).status).toBe(403);
  const free = await createKey(t);
  expect((await t.post('/api/v2/jobs', graph, { headers: bearer(free.key) })).status).toBe(201);
});

test('an author publishes under the names of its key alone', async () => {
  await using folder = await makeFolder({ samples: true });
  await using t = await startKeyed({ env: folder.env });
  const { key } = await createKey(t, { role: 'author', workflows: ['mine-*'] });
  const put = (alias: string) =>
    t.get(`/api/bridge/workflows/${alias}`, {
      method: 'PUT',
      body: JSON.stringify({ workflow: graphOf(64) }),
      headers: bearer(key),
    });
  expect((await put('mine-one')).status).toBe(201);
  expect((await put('yours')).status).toBe(404);
  expect((await put('upscale')).status).toBe(404);
  const remove = (alias: string) =>
    t.get(`/api/bridge/workflows/${alias}`, { method: 'DELETE', headers: bearer(key) });
  expect((await remove('upscale')).status).toBe(404);
  expect((await remove('mine-one')).status).toBe(204);
});

test("an upload of the original's API can be used by its own key and by operators", async () => {
  await using t = await startKeyed();
  const [one, two] = [await createKey(t), await createKey(t)];
  const saved = await makeUpload(t, one.key);
  const submit = (secret: string, clientId: string) =>
    t.post(
      `/generate-based-workflow?clientId=${clientId}`,
      { workflow: 'image-to-image', '10/image': saved },
      { headers: bearer(secret) },
    );
  const refused = await submit(two.key, 'two');
  expect(refused.status).toBe(400);
  const unknown = saved.replace(/^.{8}/, '00000000');
  const told = await t.post(
    '/generate-based-workflow?clientId=two',
    { workflow: 'image-to-image', '10/image': unknown },
    { headers: bearer(two.key) },
  );
  expect((await detailOf(refused)).replaceAll(saved, '<id>')).toBe(
    (await detailOf(told)).replaceAll(unknown, '<id>'),
  );
  expect((await submit(one.key, 'one')).status).toBe(200);
  expect((await submit(operatorToken, 'three')).status).toBe(200);
});

test('whose an upload is, and how much a key has stored, is known over a restart', async () => {
  await using world = await startWorld(1, { mode: 'free', runMs: 0 });
  const env = { KEYS: 'required', OPERATOR_TOKEN: operatorToken };
  const form = await uploadForm();
  const limits = { stored_bytes: Math.round(1.5 * form.bytes) };
  let [one, two, saved] = ['', '', ''];
  {
    await using t = await world.start({ env });
    one = (await createKey(t, { limits })).key;
    two = (await createKey(t)).key;
    saved = await makeUpload(t, one);
  }
  await using t = await world.start({ env });
  const submit = (secret: string) =>
    t.post(
      '/generate-based-workflow?clientId=one',
      { workflow: 'image-to-image', '10/image': saved },
      { headers: bearer(secret) },
    );
  expect((await submit(two)).status).toBe(400);
  expect((await submit(one)).status).toBe(200);
  const more = () => t.post('/upload', undefined, { body: form.body(), headers: bearer(one) });
  expect((await more()).status).toBe(429);
});

test("another's asset or output cannot be an input", async () => {
  await using t = await startKeyed();
  const [one, two] = [await createKey(t), await createKey(t)];
  for (const thing of ['asset', 'output'] as const) {
    const id = await make(t, thing, one.key);
    const use = (secret: string) =>
      send(t, { image: { asset: id } }, { workflow: 'image-to-image', headers: bearer(secret) });
    expect(await readRefusal(use(two.key)), thing).toMatchObject({ status: 422, code: 'missing_asset' });
    await readJob(use(one.key));
    await readJob(use(operatorToken));
  }
});
