import { expect, test } from 'vitest';

import { startBridge } from './_start-bridge.ts';

test('a drained backend finishes what it has and gets nothing new until it is resumed', async () => {
  await using t = await startBridge({ sims: 2 });
  const [first, second] = t.sims;
  if (first === undefined || second === undefined) throw new Error('two backends were asked for');
  const drained = await t.post('/api/bridge/backends/backend-1/drain');
  expect(drained.status).toBe(200);
  expect(await drained.json()).toMatchObject({ name: 'backend-1', status: 'draining' });

  await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
  await (await second.nextPrompt()).finish({ images: 1 });
  await t.nextEvent('job:finished');
  await t.post('/api/bridge/backends/backend-2/drain');
  await t.post('/generate-based-workflow?clientId=two', { workflow: 'text-to-image' });
  expect(t.bridge.fleet.backends.map(({ slots }) => slots.size)).toEqual([0, 0]);

  const resumed = await t.post('/api/bridge/backends/backend-1/resume');
  expect(await resumed.json()).toMatchObject({ status: 'ready' });
  const ended = t.nextEvent('job:finished');
  await (await first.nextPrompt()).finish({ images: 1 });
  expect((await ended).job).toMatchObject({ clientId: 'two', state: { status: 'succeeded' } });
});

test('a backend of an unknown name is not found, and strangers may not drain', async () => {
  await using t = await startBridge();
  const unknown = await t.post('/api/bridge/backends/nobody/drain');
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toMatchObject({ error: { code: 'not_found' } });
  const stranger = await t.post('/api/bridge/backends/backend-1/drain', undefined, {
    headers: { 'x-forwarded-for': '203.0.113.7', connection: 'close' },
  });
  expect(stranger.status).toBe(403);
});
