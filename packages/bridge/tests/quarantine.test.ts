import type { PromptRun, Sim } from '@comfy-bridge/comfy-sim';
import type { AuditPage } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { fleetApi } from './_fleet-api.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { canariesOf, describe, isCanary, oftenTried } from './_trust.ts';
import { startWorld } from './_world.ts';

const patient = { timeout: 15_000 };

/** Lets the first backend, which a test drives, answer its next two canaries wrongly. */
async function lieTwice(t: TestBridge, name = 'backend-1'): Promise<void> {
  const quarantined = t.nextEvent('backend:quarantined', ({ backend }) => backend === name);
  const sim = t.sims[0];
  sim?.lie('black', isCanary);
  for (let count = 0; count < 2; count += 1) await (await sim?.nextPrompt())?.finish();
  await quarantined;
}

/** Canaries are interrupted when a job comes. */
async function nextJob(sim: Sim | undefined): Promise<PromptRun | undefined> {
  let run = await sim?.nextPrompt();
  while (run !== undefined && isCanary(run.prompt)) run = await sim?.nextPrompt();
  return run;
}

test('no job goes there any more, however long others take; an operator lifts it, which is audited', async () => {
  await using t = await startBridge({ sims: 2, env: { ...oftenTried, BACKEND_SLOTS: '1' } });
  const [, good] = t.sims;
  await lieTwice(t);
  for (const clientId of ['one', 'two']) await submit(t, clientId);
  const run = await nextJob(good);
  expect(await describe(t)).toMatchObject({ status: 'quarantined', jobs: [] });
  const placement = await parseBody<{ backends: object[] }>(
    t.get('/api/bridge/workflows/text-to-image/placement'),
  );
  expect(placement.backends[0]).toMatchObject({ verdict: 'away', reasons: ['is quarantined'] });
  await run?.finish({ images: 1 });
  await (await good?.nextPrompt())?.finish({ images: 1 });
  for (const clientId of ['one', 'two'])
    expect(await ended(t, clientId)).toMatchObject({ attempts: [{ backend: 'backend-2' }] });

  const api = fleetApi(t);
  expect(await api.change('backend-1', { weight: 2 })).toMatchObject({ status: 'quarantined', weight: 2 });
  expect(await api.change('backend-1', { mode: 'paused' })).toMatchObject({ status: 'quarantined' });
  t.sims[0]?.lie(undefined);
  const believed = t.nextEvent('backend:believed');
  expect((await api.send('POST', '/backend-1/resume')).status).toBe(200);
  expect(await believed).toEqual({ backend: 'backend-1' });
  expect(await describe(t)).toMatchObject({ status: 'ready', quarantine: null, doubts: [], canary: null });
  const { entries } = await parseBody<AuditPage>(t.get('/api/bridge/audit'));
  expect(entries[0]).toMatchObject({ action: 'resumeBackend', target: 'backend-1' });
  await (await t.sims[0]?.nextPrompt())?.finish();
  await expect.poll(() => canariesOf(t)).toEqual([true]);
});

// Less than the fetch that hangs there would take.
test('a job that has run there and whose results are on their way is done elsewhere', async () => {
  await using t = await startBridge({ sims: 2, env: { ...oftenTried } });
  const [bad, good] = t.sims;
  await fleetApi(t).send('POST', '/backend-2/drain');
  bad?.failNext('GET /view', 'hang');
  await submit(t, 'one');
  const run = await nextJob(bad);
  await run?.finish({ images: 1 });
  await fleetApi(t).send('POST', '/backend-2/resume');
  await lieTwice(t);
  await (await nextJob(good))?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    state: { status: 'succeeded', results: [{}] },
    attempts: [
      { backend: 'backend-1', outcome: 'moved' },
      { backend: 'backend-2', outcome: 'succeeded' },
    ],
  });
}, 8_000);

test('it is kept over restarts, and what an earlier process left there is done elsewhere', async () => {
  await using world = await startWorld(2);
  const [bad, good] = world.sims;
  {
    await using t = await world.start({ env: oftenTried });
    bad?.lie('black', isCanary);
    const quarantined = t.nextEvent('backend:quarantined');
    for (let count = 0; count < 2; count += 1) await (await bad?.nextPrompt())?.finish();
    expect(await quarantined).toMatchObject({ backend: 'a' });
    const { quarantine } = await describe(t, 'a');
    expect(quarantine?.evidence).toHaveLength(2);
    await fleetApi(t).change('a', { weight: 3 });
  }
  await using t = await world.start();
  expect(await describe(t, 'a')).toMatchObject({
    ...{ status: 'quarantined', weight: 3, doubts: [] },
    quarantine: { evidence: [{ kind: 'canary' }, { kind: 'canary' }] },
  });
  await submit(t, 'one');
  await (await nextJob(good))?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ attempts: [{ backend: 'b' }] });
  await fleetApi(t).change('a', { mode: 'active' });
  await t.bridge.close();
  await using later = await world.start();
  expect(await describe(later, 'a')).toMatchObject({ status: 'ready', quarantine: null });
});

test('a job that was on it when the bridge stopped is moved by the next process', async () => {
  await using world = await startWorld(2);
  const [bad, good] = world.sims;
  {
    await using t = await world.start();
    await fleetApi(t).send('POST', '/b/drain');
    await submit(t, 'one', {});
    await bad?.nextPrompt();
    await fleetApi(t).send('POST', '/b/resume');
    // As found by a process that was killed in that moment.
    const backend = t.bridge.fleet.find('a');
    if (backend !== undefined) backend.quarantine = { since: 1, reason: 'two lies', evidence: [] };
    await fleetApi(t).change('a', { weight: 2 });
  }
  await using t = await world.start();
  expect(await describe(t, 'a')).toMatchObject({ status: 'quarantined', reason: 'two lies' });
  await (await good?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({
    attempts: [
      { backend: 'a', outcome: 'moved' },
      { backend: 'b', outcome: 'succeeded' },
    ],
  });
});

test('jobs wait for an operator when every machine is quarantined', async () => {
  await using t = await startBridge({ env: oftenTried });
  await lieTwice(t);
  const { jobId } = await submit(t, 'one');
  expect(await parseBody(t.get(`/api/bridge/jobs/${jobId}`))).toMatchObject({ status: 'queued' });
  t.sim.lie(undefined);
  await fleetApi(t).send('POST', '/backend-1/resume');
  await (await nextJob(t.sim))?.finish({ images: 1 });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'succeeded' } });
  await expect.poll(() => t.sim.queue().running.length, patient).toBeLessThan(2);
});
