import { expect, test } from 'vitest';

import { detailOf, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

function freed({ sims }: TestBridge): unknown[][] {
  return sims.map(({ requests }) =>
    requests
      .filter(({ method, path }) => method === 'POST' && path.endsWith('/free'))
      .map(({ body }) => body),
  );
}

const both = { unload_models: true, free_memory: true };

test('without a clientId every ComfyUI is freed', async () => {
  await using t = await startBridge({ sims: 2 });
  const answer = await t.post('/free');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ detail: 'server memory free now / ALL' });
  expect(freed(t)).toEqual([[both], [both]]);
});

test('with a clientId the ComfyUI that serves it, and no other', async () => {
  await using t = await startBridge({ sims: 2 });
  await submit(t, 'one');
  await t.sims[0]?.nextPrompt();
  await submit(t, 'two');
  await t.sims[1]?.nextPrompt();
  const answer = await t.post('/free?clientId=two');
  expect(await answer.json()).toEqual({ detail: 'server memory free now / two' });
  expect(freed(t)).toEqual([[], [both]]);
});

test('a clientId that nobody knows or serves is 400', async () => {
  await using t = await startBridge();
  for (const query of ['?clientId=nobody', '?clientId=a%20b']) {
    const answer = await t.post(`/free${query}`);
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toMatch(/clientId/);
  }
  expect(freed(t)).toEqual([[]]);
});

test('one that is down or fails does not keep the others from being freed', async () => {
  await using t = await startBridge({ sims: 3 });
  const lost = t.nextEvent('backend:lost');
  await t.sims[0]?.refuse(true);
  await lost;
  t.sims[1]?.failNext('POST /free', 500);
  expect((await t.post('/free')).status).toBe(200);
  expect(freed(t)[2]).toEqual([both]);
});
