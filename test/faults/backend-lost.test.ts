import { expect, test } from 'vitest';

import { driveSim } from './_drive-sim.ts';
import { soonMs, startPulse } from './_pulse.ts';
import { startRig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

test(
  'SIGKILL of 1 of 4 backends with 8 jobs in flight: all 8 are done, elsewhere',
  { timeout: 60_000 },
  async () => {
    const runMs = 1_000;
    await using rig = await startRig({ backends: Array.from({ length: 4 }, () => ({ stepMs: runMs / 10 })) });
    await using pulse = startPulse(rig.bridge);
    await rig.warmUp();
    const before = rig.bridge.log.length;
    const clients = Array.from({ length: 8 }, () => rig.client({ workflow: 'steps', extended: true }));
    const [victim] = rig.backends;
    const placed = () => rig.bridge.log.slice(before).filter(({ msg }) => msg === 'job assigned');
    await waitUntil('8 placed jobs', () => placed().length === 8);
    await waitUntil('the victim to work', () => (victim?.started.length ?? 0) > 1);
    const hit = new Set(placed().flatMap(({ backend, jobId }) => (backend === 'backend-1' ? [jobId] : [])));
    const killedAt = Date.now();
    await victim?.kill9();

    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(12).fill('succeeded'));
    expect(hit.size).toBe(2);
    const again = clients.map(({ record }) => record).filter(({ jobId }) => hit.has(jobId));
    for (const { endedAt, jobId } of again) {
      // Detection, then at worst behind the two jobs of another backend; one second for two busy cores.
      expect((endedAt ?? Number.POSITIVE_INFINITY) - killedAt).toBeLessThan(3_000 + 3 * runMs + 1_000);
      const { attempts }: { attempts: { backend: string }[] } = JSON.parse(
        (await rig.calls.get(`/api/bridge/jobs/${jobId}`)).text,
      );
      expect(attempts.length, 'the client sees attempt 2').toBe(2);
    }
    expect(pulse.report().p50).toBeLessThan(soonMs);
  },
);

test.each([
  ['first', 0],
  ['last', 2],
] as const)(
  'the %s backend of the list is dead: new jobs use the others',
  { timeout: 60_000 },
  async (_which, index) => {
    await using rig = await startRig({ backends: [{}, {}, {}] });
    await rig.backends[index]?.kill9();
    // At once, while the bridge still believes in it, and over HTTP and WebSocket alike.
    for (let job = 0; job < 9; job += 1) rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest' });
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(9).fill('succeeded'));

    // And the same after the bridge itself was started again beside the dead one.
    await rig.bridge.kill9();
    await rig.bridge.start();
    for (let job = 0; job < 3; job += 1) rig.client();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.every(({ end }) => end?.kind === 'succeeded')).toBe(true);
  },
);

test('all backends dead: a job waits and is done when one is back', { timeout: 60_000 }, async () => {
  await using rig = await startRig({ backends: [{}, {}] });
  for (const backend of rig.backends) await backend.kill9();
  await rig.untilReady(0);
  const clients = [rig.client({ kind: 'ws' }), rig.client({ kind: 'rest' }), rig.client({ kind: 'rest' })];
  expect(await Promise.all(clients.map(({ submitted }) => submitted))).toEqual([true, true, true]);
  await rig.backends[1]?.start();
  const backAt = Date.now();
  expect(await rig.verdict()).toEqual([]);
  expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(3).fill('succeeded'));
  const firstRun = Math.min(...rig.prompts().map(({ at }) => at));
  expect(firstRun - backAt).toBeLessThan(5_000);
});

test(
  'all backends dead and WHEN_NO_BACKEND=refuse: 503 with Retry-After, and no job',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{}], env: { WHEN_NO_BACKEND: 'refuse' } });
    await rig.backends[0]?.kill9();
    await rig.untilReady(0);
    const answer = await rig.calls.post('/generate-based-workflow?clientId=refused', { workflow: 'tiny' });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    await rig.backends[0]?.start();
    await rig.untilReady();
    rig.client();
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'SIGSTOP of a backend: its job is done elsewhere, and what it says later counts for nothing',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ backends: [{ stepMs: 50 }, { stepMs: 50 }] });
    for (let job = 0; job < 4; job += 1)
      rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
    const [zombie] = rig.backends;
    await waitUntil('both to work', () => rig.backends.every(({ started }) => started.length > 0));
    const pausedAt = Date.now();
    zombie?.pause();
    await waitUntil('every job to end', () => rig.records.every(({ end }) => end !== undefined), {
      withinMs: 40_000,
    });
    const tookMs = Date.now() - pausedAt;
    zombie?.resume();
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(4).fill('succeeded'));
    // Ejected after 2 s, some time to look twice, then four jobs of half a second one after the other.
    expect(tookMs).toBeLessThan(10_000);
  },
);

test(
  'restarted between /prompt and the end: the prompt is unknown there, so the job runs again',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    // A new one gets a second prompt only after it has finished its first.
    const warmUp = rig.client();
    await (await sim?.nextPrompt())?.finish();
    await warmUp.done;

    const running = rig.client({ kind: 'ws' });
    await sim?.nextPrompt();
    const pending = rig.client({ kind: 'rest' });
    await waitUntil('a prompt in its queue', () => (sim?.queue().pending.length ?? 0) > 0);
    await sim?.restart();
    driveSim(sim, (run) => run.finish());
    expect(await rig.verdict()).toEqual([]);
    expect([running.record.end?.kind, pending.record.end?.kind]).toEqual(['succeeded', 'succeeded']);
  },
);
