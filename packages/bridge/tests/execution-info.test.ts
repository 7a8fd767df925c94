import type { CompatFrame } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { detailOf, ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

async function info(t: TestBridge, clientId: string): Promise<CompatFrame> {
  const answer = await t.get(`/execution-info?clientId=${clientId}`);
  expect(answer.status).toBe(200);
  const body = await parseBody<CompatFrame>(answer);
  expect(Object.keys(body).toSorted()).toEqual(['detail', 'details', 'status']);
  expect(body.details).toBe(body.detail);
  return body;
}

test('a client that only polls follows its job to the end', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'ahead');
  const ahead = await t.sim.nextPrompt();
  await submit(t, 'one');
  expect(await info(t, 'one')).toMatchObject({ status: 'connected' });
  await ahead.finish({ images: 1 });
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  await t.nextEvent('job:progress', ({ progress }) => progress.step === 10);
  const { status, detail } = await info(t, 'one');
  expect(status).toBe('progress');
  expect(detail).toMatch(/^[1-9]\d\.\d\d%$/);
  await run.finish({ images: 1 });
  await ended(t, 'one');
  expect(await info(t, 'one')).toMatchObject({ status: 'closed', detail: 'Execution is done' });
});

test('it says the same as the WebSocket', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  expect(await info(t, 'one')).toEqual(await client.next());
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({ message: 'no luck' });
  const told = await client.next('error');
  expect(await info(t, 'one')).toEqual(told);
});

test('an unknown clientId is 400', async () => {
  await using t = await startBridge({ sims: 0 });
  const answer = await t.get('/execution-info?clientId=nobody');
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toContain('nobody');
});

test('a hundred clients that only poll lose nothing', async () => {
  await using t = await startBridge({ sims: 2, sim: { mode: 'free', runMs: 0 } });
  const clients = Array.from({ length: 100 }, (_, index) => `poller-${index}`);
  await Promise.all(
    clients.map(async (clientId) => {
      await submit(t, clientId, { workflow: 'upscale', '2/scale_by': 1 });
      expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
      const answer = await t.get(`/history?clientId=${clientId}`);
      expect(answer.status).toBe(200);
      expect([...(await answer.formData()).keys()]).toEqual(['result_0']);
    }),
  );
  expect(await (await t.get('/generation-count')).json()).toBe(100);
  expect(t.errors).toEqual([]);
});
