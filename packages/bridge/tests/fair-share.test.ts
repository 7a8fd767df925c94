import type { Sim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const env = { BACKEND_SLOTS: '1', TRUST_PROXY: 'loopback', OPERATOR_TOKEN: 'operator-token-of-this-test' };
const operator = { authorization: `Bearer ${env.OPERATOR_TOKEN}` };

async function submitFrom(
  t: TestBridge,
  clientId: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const body = { workflow: 'text-to-image', '6/text': clientId };
  const answer = await t.post(`/generate-based-workflow?clientId=${clientId}`, body, { headers });
  expect(answer.status).toBe(200);
  return (await parseBody<{ jobId: string }>(answer)).jobId;
}

const from = (address: string) => ({ 'x-forwarded-for': address });

/** Lets the jobs run one after the other; their client ids, in that order. */
async function runAll(sim: Sim, count: number): Promise<unknown[]> {
  const order: unknown[] = [];
  for (let job = 0; job < count; job += 1) {
    const run = await sim.nextPrompt();
    order.push(run.prompt['6']?.inputs['text']);
    await run.finish({ images: 1 });
  }
  return order;
}

test("a flood of one client delays another's first job by one job at most", async () => {
  await using t = await startBridge({ env });
  for (let job = 0; job < 6; job += 1) await submitFrom(t, `flood-${job}`, from('192.0.2.1'));
  await submitFrom(t, 'guest-0', from('192.0.2.2'));
  await submitFrom(t, 'guest-1', from('192.0.2.2'));
  const order = await runAll(t.sim, 8);
  expect(order[0]).toBe('flood-0');
  expect(order.slice(0, 3)).toContain('guest-0');
  expect(order.slice(0, 5), 'then they take turns').toContain('guest-1');
  expect(order.filter((id) => String(id).startsWith('flood'))).toEqual(
    Array.from({ length: 6 }, (_, job) => `flood-${job}`),
  );
});

test('a job that says it can wait lets others pass; only an operator gets ahead', async () => {
  await using t = await startBridge({ env });
  await submitFrom(t, 'runs');
  await submitFrom(t, 'patient', { priority: 'u=6' });
  await submitFrom(t, 'normal');
  await submitFrom(t, 'pushy', { priority: 'u=0' });
  await submitFrom(t, 'urgent', { priority: 'u=1, i', ...operator });
  expect(await runAll(t.sim, 5)).toEqual(['runs', 'urgent', 'normal', 'pushy', 'patient']);
});

test('an operator moves a waiting job, and nobody else does', async () => {
  await using t = await startBridge({ env });
  await submitFrom(t, 'runs');
  await submitFrom(t, 'first');
  const second = await submitFrom(t, 'second');
  const path = `/api/bridge/jobs/${second}/priority`;
  expect((await t.post(path, { priority: 5 })).status).toBe(401);
  for (const body of [
    {},
    { priority: 'high' },
    { priority: 101 },
    { priority: 1.5 },
    { priority: 1, x: 1 },
  ]) {
    const refused = await t.post(path, body, { headers: operator });
    expect(refused.status, JSON.stringify(body)).toBe(400);
  }
  const moved = await t.post(path, { priority: 5 }, { headers: operator });
  expect(await parseBody(moved)).toMatchObject({ priority: 5, queue_position: 0 });
  expect(await runAll(t.sim, 3)).toEqual(['runs', 'second', 'first']);
  await ended(t, 'second');
  const late = await t.post(path, { priority: 0 }, { headers: operator });
  expect(late.status).toBe(409);
});
