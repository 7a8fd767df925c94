import type { Forgery, PromptRun } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { ended, parseBody, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { canariesOf, describe, oftenTried } from './_trust.ts';

/** For ten canaries on a machine with other things to do. */
const patient = { timeout: 15_000 };
const free = { mode: 'free', runMs: 0 } as const;

test('off unless asked for: a backend that has nothing to do is asked for nothing', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  await expect.poll(() => t.sim.counters['GET /prompt']).toBeGreaterThan(5);
  expect(t.sim.counters).toMatchObject({ 'POST /prompt': 1 });
  expect(t.sim.counters['POST /upload/image']).toBeUndefined();
  expect(await describe(t)).toMatchObject({ canary: null, doubts: [], quarantine: null });
});

test.each<[string, Forgery | undefined, object]>([
  ['an exact one', undefined, {}],
  ['a slow one', undefined, { runMs: 150 }],
  ['one that saves as JPEG', 'jpeg', {}],
  ['one that saves as WebP', 'webp', {}],
  ['one that rounds', 'rounded', {}],
  [
    'an old one',
    undefined,
    { features: { previewMetadata: false, clientPromptId: false, targetedInterrupt: false } },
  ],
  ['a new one', undefined, { features: { jobsApi: true } }],
  [
    'one with few nodes',
    undefined,
    { nodes: { remove: ['ImageScale', 'ImageCrop', 'ImageCompositeMasked', 'ImageFlip'] } },
  ],
])(
  '%s is honest: all of its canaries are right',
  async (_, forgery, sim) => {
    await using t = await startBridge({ sims: [{ ...free, ...sim }], env: oftenTried });
    t.sim.lie(forgery);
    await expect.poll(() => canariesOf(t).length, patient).toBe(10);
    expect(await describe(t)).toMatchObject({
      status: 'ready',
      doubts: [],
      quarantine: null,
      canary: { outcome: 'right', detail: null, unanswered: 0 },
    });
    expect(t.errors).toEqual([]);
  },
  20_000,
);

test.each<Forgery>(['noise', 'black', 'input', 'other', 'patch'])(
  'a liar is found (%s), gets no more canaries, and is shown with what speaks against it',
  async (forgery) => {
    await using t = await startBridge({ sims: [free, free], env: oftenTried });
    t.sims[0]?.lie(forgery);
    const { reason } = await t.nextEvent('backend:quarantined', ({ backend }) => backend === 'backend-1');
    expect(reason).toMatch(/of \d+ canaries were wrong/);
    const evidence = { kind: 'canary', detail: expect.stringMatching(/its picture is off by .*Image/) };
    expect(await describe(t)).toMatchObject({
      ...{ status: 'quarantined', mode: 'active', reason },
      quarantine: { reason, evidence: [evidence, evidence] },
      canary: { outcome: 'wrong' },
    });
    const before = t.sims[0]?.counters['POST /prompt'];
    await expect.poll(() => canariesOf(t, 'backend-2').length, patient).toBe(10);
    expect(t.sims[0]?.counters['POST /prompt']).toBe(before);
    expect(await describe(t, 'backend-2')).toMatchObject({ status: 'ready', doubts: [] });
    expect(t.errors.join()).toContain('backend quarantined');
  },
  20_000,
);

test('one wrong answer is an accident: it is tried again at once, and shown to operators', async () => {
  await using t = await startBridge({ env: { CANARY_INTERVAL: '600' } });
  t.sim.lie('black');
  const doubted = t.nextEvent('backend:doubted');
  await (await t.sim.nextPrompt()).finish();
  expect(await doubted).toMatchObject({ backend: 'backend-1', kind: 'canary' });
  t.sim.lie(undefined);
  await (await t.sim.nextPrompt()).finish();
  await expect.poll(() => canariesOf(t)).toEqual([false, true]);
  expect(await describe(t)).toMatchObject({
    status: 'ready',
    doubts: [{ kind: 'canary', difference: expect.any(Number) }],
    canary: { outcome: 'right' },
  });
});

test('errors are no lies: a prompt that is refused, fails or vanishes, and nodes that are not there', async () => {
  await using t = await startBridge({ env: oftenTried });
  t.sim.failNext('POST /prompt', {
    status: 400,
    body: '{"error": {"type": "x", "message": "no"}, "node_errors": {}}',
  });
  await expect.poll(() => t.bridge.fleet.find('backend-1')?.standing.unanswered).toBe(1);
  (await t.sim.nextPrompt()).fail({ message: 'no luck' });
  await expect.poll(() => t.bridge.fleet.find('backend-1')?.standing.unanswered).toBe(2);
  expect(await describe(t)).toMatchObject({
    canary: {
      outcome: 'unanswered',
      detail: expect.stringContaining('no luck'),
      right_at: null,
      unanswered: 2,
    },
    ...{ doubts: [], status: 'ready', trust: 'closed' },
  });
  await (await t.sim.nextPrompt()).finish();
  await expect.poll(() => canariesOf(t)).toEqual([true]);
  expect(await describe(t)).toMatchObject({ canary: { unanswered: 0 } });

  await using bare = await startBridge({
    sims: [{ ...free, nodes: { remove: ['LoadImage'] } }],
    env: oftenTried,
  });
  await expect.poll(() => bare.bridge.fleet.find('backend-1')?.standing.unanswered).toBeGreaterThan(2);
  expect(bare.sim.counters['POST /prompt']).toBeUndefined();
  expect(await describe(bare)).toMatchObject({
    canary: { detail: 'it does not offer the nodes of any canary' },
    doubts: [],
  });
});

test('done without a picture, or with one that is none, is a lie', async () => {
  await using t = await startBridge({ env: { CANARY_INTERVAL: '600' } });
  await (await t.sim.nextPrompt()).finish({ emptyOutputs: true });
  await expect.poll(() => canariesOf(t)).toEqual([false]);
  await (await t.sim.nextPrompt()).finish({ images: [{ bytes: Buffer.from('no picture at all') }] });
  const { quarantine } = await t.nextEvent('backend:quarantined').then(() => describe(t));
  expect(quarantine?.evidence.map(({ detail }) => detail)).toEqual([
    expect.stringContaining('it said that it was done and gave no picture'),
    expect.stringContaining('its picture cannot be decoded'),
  ]);
});

test('a job never waits for a canary: that is interrupted as soon as the job is placed', async () => {
  await using t = await startBridge({ env: { CANARY_INTERVAL: '600' } });
  const canary = await t.sim.nextPrompt();
  canary.progress(1, 9);
  expect(t.bridge.fleet.find('backend-1')?.trial).toBeDefined();
  await submit(t, 'one');
  const job = await t.sim.nextPrompt();
  expect(await canary.done).toBe('interrupted');
  expect(job.isInterrupted).toBe(false);
  await job.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
  expect(await describe(t)).toMatchObject({ canary: null, doubts: [] });
});

test('nothing is tried while a job runs there, or a prompt of its owner', async () => {
  await using t = await startBridge({ env: oftenTried });
  await (await t.sim.nextPrompt()).finish();
  const stopped = await t.sim.nextPrompt();
  await submit(t, 'one');
  const job = await t.sim.nextPrompt();
  await stopped.done;
  const probes = t.sim.counters['GET /prompt'] ?? 0;
  const prompts = t.sim.counters['POST /prompt'];
  await expect.poll(() => t.sim.counters['GET /prompt']).toBeGreaterThan(probes + 3);
  expect(t.sim.counters['POST /prompt']).toBe(prompts);
  const foreign = t.sim.addForeignPrompt();
  await job.finish({ images: 1 });
  await ended(t, 'one');
  await expect.poll(() => t.sim.counters['GET /prompt']).toBeGreaterThan(probes + 6);
  expect(t.sim.counters['POST /prompt']).toBe(prompts);
  await foreign.finish();
  await (await t.sim.nextPrompt()).finish();
});

test('it leaves nothing behind, is no job, and nothing is learned from it', async () => {
  await using t = await startBridge({ sims: [{ ...free, donor: {} }, free], env: oftenTried });
  const [lent, stock] = t.sims;
  await expect.poll(() => canariesOf(t, 'backend-1').length, patient).toBe(10);
  await expect.poll(() => canariesOf(t, 'backend-2').length, patient).toBe(10);
  await t.post('/api/bridge/backends/backend-1/drain');
  await t.post('/api/bridge/backends/backend-2/drain');
  // The last ones may still be under way.
  await expect
    .poll(() => t.bridge.fleet.backends.map(({ trial }) => trial), patient)
    .toEqual([undefined, undefined]);
  await expect.poll(() => lent?.files('input'), patient).toEqual(['example.png']);
  await expect
    .poll(() => [...(lent?.files('output') ?? []), ...(lent?.history() ?? [])], patient)
    .toEqual([]);
  await expect.poll(() => stock?.history(), patient).toEqual([]);
  expect(await parseBody(t.get('/generation-count'))).toBe(0);
  expect(await parseBody(t.get('/api/bridge/jobs'))).toMatchObject({ jobs: [] });
  for (const backend of t.bridge.fleet.backends)
    expect(backend).toMatchObject({ breaker: { proven: false, failures: 0 }, trial: undefined });
}, 40_000);

test('to a backend it looks like a job', async () => {
  await using t = await startBridge({ env: { CANARY_INTERVAL: '600' } });
  const canary = await t.sim.nextPrompt();
  await canary.finish();
  await expect.poll(() => canariesOf(t)).toEqual([true]);
  await expect.poll(() => t.sim.history()).toEqual([]);
  const before = t.sim.requests.length;
  await submit(t, 'one', { workflow: 'upscale' });
  const job = await t.sim.nextPrompt();
  await job.finish();
  await ended(t, 'one');
  await expect.poll(() => t.sim.history()).toEqual([]);
  const seen = (requests: typeof t.sim.requests) =>
    requests.map(({ method, path }) => `${method} ${path.replaceAll(/[\da-f-]{36}/g, ':id').split('?')[0]}`);
  const noise = /GET \/(prompt|ws|system_stats|features|object_info|models|comfy-bridge)/;
  const ofJob = seen(t.sim.requests.slice(before)).filter((line) => !noise.test(line));
  const ofCanary = seen(t.sim.requests.slice(0, before)).filter((line) => !noise.test(line));
  expect(ofCanary).toEqual(ofJob);
  expect(canary.clientId).toBe(canary.promptId);
  expect(Object.keys(canary.extraData)).toEqual(Object.keys(job.extraData));
  const ofNodes = ({ prompt }: PromptRun) =>
    new Set(Object.values(prompt).map((node) => Object.keys(node).join()));
  expect(ofNodes(canary)).toEqual(ofNodes(job));
});

test('a canary that hangs is given up when the bridge stops, and taken from its backend', async () => {
  await using t = await startBridge({ env: { CANARY_INTERVAL: '600' } });
  const canary = await t.sim.nextPrompt();
  canary.progress(1, 9);
  await t.bridge.close();
  expect(await canary.done).toBe('interrupted');
  expect(t.errors).toEqual([]);
});
