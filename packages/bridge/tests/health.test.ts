import { expect, test } from 'vitest';

import { startBridge } from './_start-bridge.ts';

test('healthz says that the process answers, with or without a ComfyUI', async () => {
  await using t = await startBridge({ sims: 0 });
  const answer = await t.get('/healthz');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: 'ok' });
});

test('readyz follows the fleet: 503 with Retry-After while no ComfyUI can be reached', async () => {
  await using t = await startBridge();
  const up = await t.get('/readyz');
  expect(up.status).toBe(200);
  expect(await up.json()).toEqual({ status: 'ready', backends: { ready: 1, all: 1 } });
  const lost = t.nextEvent('backend:lost');
  await t.sim.refuse(true);
  await lost;
  const down = await t.get('/readyz');
  expect(down.status).toBe(503);
  expect(Number(down.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await down.json()).toMatchObject({ backends: { ready: 0, all: 1 } });
  const back = t.nextEvent('backend:ready');
  await t.sim.refuse(false);
  await back;
  expect((await t.get('/readyz')).status).toBe(200);
});
