import type { ApiPrompt } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { canariesOf, describe, isJob } from './_trust.ts';

const free = { mode: 'free', stepMs: 1 } as const;
const all = { DUPLICATE_SHARE: '1' };
const patient = { timeout: 15_000 };
let seed = 0;

/** One job, another one each time, once its result is known. */
async function runOne(t: TestBridge): Promise<void> {
  seed += 1;
  const clientId = `client-${seed}`;
  await submit(t, clientId, { '3/seed': seed, '3/steps': 4 });
  expect(await ended(t, clientId)).toMatchObject({ state: { status: 'succeeded' } });
}

function votesOf(t: TestBridge, name: string): number {
  return t.bridge.fleet.find(name)?.standing.votes.length ?? 0;
}

function allVotes(t: TestBridge): number {
  return t.bridge.fleet.backends.reduce((sum, { name }) => sum + votesOf(t, name), 0);
}

function promptsOf(t: TestBridge): number {
  return t.sims.reduce((sum, sim) => sum + (sim.counters['POST /prompt'] ?? 0), 0);
}

async function names(t: TestBridge): Promise<string[]> {
  const backends = await parseBody<{ name: string; status: string }[]>(t.get('/api/bridge/backends'));
  return backends.filter(({ status }) => status === 'quarantined').map(({ name }) => name);
}

/** A third run is paid for by the next job, which is not run again then; and a job goes before what is left to compare. */
async function runUntilQuarantined(t: TestBridge): Promise<void> {
  for (let count = 0; count < 60 && (await names(t)).length === 0; count += 1) {
    await runOne(t);
    await expect
      .poll(() => t.bridge.fleet.backends.every(({ trial }) => trial === undefined), patient)
      .toBe(true);
  }
}

/** Long enough for a second run to have begun. */
async function waitAWhile(t: TestBridge): Promise<void> {
  const probes = t.sim.counters['GET /prompt'] ?? 0;
  await expect.poll(() => t.sim.counters['GET /prompt'], patient).toBeGreaterThan(probes + 3);
}

test('off unless asked for', async () => {
  await using t = await startBridge({ sims: [free, free] });
  for (let count = 0; count < 3; count += 1) await runOne(t);
  await waitAWhile(t);
  expect(promptsOf(t)).toBe(3);
  expect(allVotes(t)).toBe(0);
});

test('honest machines agree, those that save with losses and those that round too', async () => {
  await using t = await startBridge({ sims: [free, free, free, free], env: all });
  t.sims[1]?.lie('jpeg');
  t.sims[2]?.lie('webp');
  t.sims[3]?.lie('rounded');
  for (let count = 1; count <= 6; count += 1) {
    await runOne(t);
    await expect.poll(() => allVotes(t), patient).toBe(2 * count);
  }
  // Each job once, and once again.
  expect(promptsOf(t)).toBe(12);
  for (const { standing } of t.bridge.fleet.backends) expect(standing.doubts).toEqual([]);
  for (const sim of t.sims) await expect.poll(() => sim.history(), patient).toEqual([]);
});

test('no more than the share of jobs runs twice', async () => {
  await using t = await startBridge({ sims: [free, free], env: { DUPLICATE_SHARE: '0.5' } });
  for (let pair = 1; pair <= 3; pair += 1) {
    await runOne(t);
    await runOne(t);
    await expect.poll(() => allVotes(t), patient).toBe(2 * pair);
  }
  await runOne(t);
  await waitAWhile(t);
  expect(promptsOf(t)).toBe(10);
});

test.each(['black', 'noise', 'other'] as const)(
  'of three machines the one that gives something else (%s) is outvoted, twice, and quarantined',
  async (forgery) => {
    await using t = await startBridge({ sims: [free, free, free], env: all });
    t.sims[1]?.lie(forgery);
    await runUntilQuarantined(t);
    const { reason } = await describe(t, 'backend-2');
    expect(reason).toMatch(/of \d+ results differed from what two others made/);
    expect((await describe(t, 'backend-2')).quarantine?.evidence).toMatchObject([
      { kind: 'duplicate', detail: expect.stringMatching(/differ from those of backend-\d and backend-\d/) },
      { kind: 'duplicate' },
    ]);
    expect(await names(t)).toEqual(['backend-2']);
    for (const name of ['backend-1', 'backend-3']) expect((await describe(t, name)).doubts).toEqual([]);
  },
  60_000,
);

test('a liar that answers canaries well is found by duplicates all the same', async () => {
  await using t = await startBridge({ sims: [free, free, free], env: { ...all, CANARY_INTERVAL: '0.5' } });
  t.sims[2]?.lie('black', isJob);
  await runUntilQuarantined(t);
  expect(await names(t)).toEqual(['backend-3']);
  expect(canariesOf(t, 'backend-3')).not.toContain(false);
}, 60_000);

test('of two machines nobody knows who lies: both are doubted, none is quarantined', async () => {
  await using t = await startBridge({ sims: [free, free], env: all });
  t.sims[1]?.lie('noise');
  for (let count = 1; count <= 3; count += 1) {
    const doubted = t.nextEvent('backend:doubted');
    await runOne(t);
    await doubted;
  }
  for (const name of ['backend-1', 'backend-2']) {
    const { status, doubts } = await describe(t, name);
    expect(status).toBe('ready');
    expect(doubts).toHaveLength(3);
    expect(doubts[0]).toMatchObject({ kind: 'duplicate', difference: expect.any(Number) });
  }
  // Three times without a culprit: it may be the workflow.
  const before = promptsOf(t);
  for (let count = 0; count < 3; count += 1) await runOne(t);
  await waitAWhile(t);
  expect(promptsOf(t)).toBe(before + 3);
});

test('where all three differ it is the workflow, and nobody is outvoted', async () => {
  await using t = await startBridge({ sims: [free, free, free], env: all });
  t.sims[1]?.lie('noise');
  t.sims[2]?.lie('black');
  const doubts = Promise.all(
    ['backend-1', 'backend-2', 'backend-3'].map((name) =>
      t.nextEvent('backend:doubted', ({ backend }) => backend === name),
    ),
  );
  await runOne(t);
  await doubts;
  expect(allVotes(t)).toBe(0);
});

test('machines that gave a wrong canary outvote nobody', async () => {
  await using t = await startBridge({ sims: [free, free, free], env: all });
  for (const name of ['backend-1', 'backend-2']) {
    const backend = t.bridge.fleet.find(name);
    const evidence = { at: 1, kind: 'canary', detail: 'off', difference: 1 } as const;
    if (backend !== undefined) backend.standing = { ...backend.standing, canaries: [evidence] };
  }
  t.sims[0]?.lie('black');
  t.sims[1]?.lie('black');
  const doubted = t.nextEvent('backend:doubted', ({ backend }) => backend === 'backend-3');
  for (let count = 0; count < 3; count += 1) await runOne(t);
  await doubted;
  expect(await names(t)).toEqual([]);
  expect(votesOf(t, 'backend-3')).toBe(0);
});

test('a job takes the place of a duplicate run at once', async () => {
  await using t = await startBridge({ sims: 2, env: { ...all, BACKEND_SLOTS: '1' } });
  const [first, second] = t.sims;
  await submit(t, 'one');
  await (await first?.nextPrompt())?.finish();
  await ended(t, 'one');
  const duplicate = await second?.nextPrompt();
  duplicate?.progress(1, 20, '3');
  await submit(t, 'two', { '3/seed': 5 });
  await submit(t, 'three', { '3/seed': 6 });
  expect(await duplicate?.done).toBe('interrupted');
  const jobs = [await first?.nextPrompt(), await second?.nextPrompt()];
  expect(new Set(jobs.map((run) => seedOf(run?.prompt)))).toEqual(new Set([5, 6]));
});

function seedOf(prompt: ApiPrompt | undefined): unknown {
  return prompt?.['3']?.inputs['seed'];
}

test('jobs with keys for paid nodes are never run a second time', async () => {
  await using t = await startBridge({ sims: [free, free], env: { ...all, ALLOW_ANY_WORKFLOW: 'everyone' } });
  const prompt = {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 9 } },
    2: { class_type: 'SaveImage', inputs: { filename_prefix: 'x', images: ['1', 0] } },
  };
  const finished = t.nextEvent('job:finished');
  const body = { workflow: prompt, extra_data: { api_key_comfy_org: 'secret' } };
  const answer = await t.post('/api/v2/jobs', body, {
    headers: { 'content-type': 'application/json', connection: 'close' },
  });
  expect(answer.status, await answer.text()).toBeLessThan(300);
  expect((await finished).job).toMatchObject({ hasCredentials: true, state: { status: 'succeeded' } });
  await waitAWhile(t);
  expect(promptsOf(t)).toBe(1);
  await runOne(t);
  await expect.poll(() => allVotes(t), patient).toBe(2);
  expect(promptsOf(t)).toBe(3);
});
