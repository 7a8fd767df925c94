import { expect, test } from 'vitest';

import { fleetApi, refusalOf } from './_fleet-api.ts';
import { detailOf, ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const path = '/api/bridge/workflows/text-to-image/requirements';

function require(t: TestBridge, body: unknown): Promise<Response> {
  return t.post(path, body, { method: 'PUT' });
}

test('a workflow runs only where all of its required tags are', async () => {
  await using t = await startBridge({ sims: 2 });
  const [, second] = t.sims;
  expect(await parseBody(t.get(path))).toEqual({
    ...{ workflow: 'text-to-image', tags: [], backends: ['backend-1', 'backend-2'] },
  });
  await fleetApi(t).change('backend-1', { tags: ['fast'] });
  expect(await parseBody(require(t, { tags: ['fast', 'big'] }))).toMatchObject({
    ...{ tags: ['fast', 'big'], backends: [] },
  });
  const refused = await t.post('/generate-based-workflow?clientId=none', { workflow: 'text-to-image' });
  expect(refused.status).toBe(503);
  expect(await detailOf(refused)).toMatch(/backend-1 does not have the tags big; backend-2/);

  await fleetApi(t).change('backend-2', { tags: ['big', 'fast', 'more'] });
  await submit(t, 'one');
  await (await second?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempts: [{ backend: 'backend-2' }] });
  expect(await parseBody(t.get(path))).toMatchObject({ backends: ['backend-2'] });
});

test.each([
  ['a machine has it', (t: TestBridge) => fleetApi(t).change('backend-1', { tags: ['fast'] })],
  ['it is required no more', (t: TestBridge) => require(t, { tags: [] })],
])('a job that waits for a tag runs as soon as %s', async (_when, change) => {
  await using t = await startBridge();
  const api = fleetApi(t);
  await api.change('backend-1', { mode: 'draining' });
  await submit(t, 'waits');
  await require(t, { tags: ['fast'] });
  await api.change('backend-1', { mode: 'active' });
  expect(await api.get('backend-1')).toMatchObject({ status: 'ready', jobs: [] });
  await change(t);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({ state: { status: 'succeeded' } });
});

test('a backend that is for some workflows gets only those', async () => {
  await using t = await startBridge({ sims: 2 });
  const [, second] = t.sims;
  await fleetApi(t).change('backend-1', { workflows: ['upscale'] });
  await submit(t, 'one');
  await (await second?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempts: [{ backend: 'backend-2' }] });
});

test('requirements survive a restart', async () => {
  await using world = await startWorld();
  {
    await using t = await world.start();
    await require(t, { tags: ['fast'] });
  }
  {
    await using t = await world.start();
    expect(await parseBody(t.get(path))).toMatchObject({ tags: ['fast'] });
    await require(t, { tags: [] });
  }
  await using t = await world.start();
  expect(await parseBody(t.get(path))).toMatchObject({ tags: [] });
});

test('an unknown workflow and a wrong body are refused', async () => {
  await using t = await startBridge();
  const unknown = await t.get('/api/bridge/workflows/nothing/requirements');
  expect(await refusalOf(unknown, 404, 'not_found')).toMatch(/Known workflows/);
  for (const body of [{}, { tags: 'fast' }, { tags: ['a b'] }, { tags: [], more: 1 }, '[]'])
    await refusalOf(await require(t, body), 400, 'bad_request');
});
