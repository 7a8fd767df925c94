import type { CompatFrame } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';
import type { TestSocket } from './_ws-client.ts';

/** What the client was told, in per cent; fails on anything but a number with two decimals, and on one that falls. */
function toldPercents({ frames }: TestSocket): number[] {
  const told = frames.filter(({ status }) => status === 'progress').map(({ detail }) => detail);
  for (const detail of told) expect(detail).toMatch(/^(\d|[1-9]\d|100)\.\d\d%$/);
  const percents = told.map((detail) => Number.parseFloat(detail));
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  return percents;
}

test('progress rises with two decimals, and 100.00% is said once, just before closed', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  for (const node of ['4', '5', '6', '7']) run.start(node);
  for (let step = 1; step <= 20; step += 5) {
    run.progress(step, 20, '3');
    await client.next('progress');
  }
  run.progress(20, 20, '3');
  await run.finish({ images: 1 });
  await client.closed;
  const percents = toldPercents(client);
  expect(percents.length).toBeGreaterThanOrEqual(5);
  expect(percents.filter((percent) => percent === 100)).toEqual([100]);
  expect(client.frames.slice(-2).map(({ status, detail }) => [status, detail])).toEqual([
    ['progress', '100.00%'],
    ['closed', 'Execution is done'],
  ]);
});

test('nodes that were cached count as done', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.cached(['3', '4', '5', '6', '7']);
  const { detail } = await client.next('progress');
  expect(Number.parseFloat(detail)).toBeGreaterThan(50);
  await run.finish({ images: 1 });
  await client.closed;
  expect(toldPercents(client).at(-1)).toBe(100);
});

test('100.00% waits until the results are kept here', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  t.sim.failNext('GET /view', { hugeBytes: 1_000, contentType: 'image/png' }, 2);
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await client.next('error');
  await client.closed;
  expect(Math.max(...toldPercents(client))).toBeLessThan(100);
});

test('progress does not fall when the job starts again on another ComfyUI', async () => {
  await using t = await startBridge({ sims: 2 });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const [first, second] = t.sims;
  const run = await first?.nextPrompt();
  run?.progress(18, 20, '3');
  while (Number.parseFloat((await client.next('progress')).detail) < 50);
  first?.crash();
  const again = await second?.nextPrompt();
  again?.progress(1, 20, '3');
  await client.next('progress');
  const polled = await parseBody<CompatFrame>(t.get('/execution-info?clientId=one'));
  expect(polled.detail).toBe(client.frames.findLast(({ status }) => status === 'progress')?.detail);
  await again?.finish({ images: 1 });
  await client.closed;
  expect(toldPercents(client).at(-1)).toBe(100);
});
