import { setTimeout as delay } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

const megabyte = 1024 * 1024;

/** The most that the bridge's memory grew while `work` was under way, in bytes. */
async function growthDuring(rig: Rig, work: Promise<unknown>): Promise<number> {
  await rig.bridge.liveMemory();
  const before = (await rig.bridge.figures()).rss;
  let most = before;
  const state = { over: false };
  const done = work.finally(() => (state.over = true));
  while (!state.over) {
    most = Math.max(most, (await rig.bridge.figures()).rss);
    await Promise.race([delay(20), done.catch(() => {})]);
  }
  await done;
  return most - before;
}

test.each([
  ['announced', false],
  ['not announced', true],
] as const)(
  'a picture of 300 MB, %s: cut off at the cap, memory stays',
  { timeout: 60_000 },
  async (_how, chunked) => {
    await using rig = await startRig({ sims: [{ mode: 'free', stepMs: 1 }], env: { MAX_RESULT_SIZE: '10' } });
    await Promise.all(Array.from({ length: 10 }, () => rig.client().done));
    const huge = { hugeBytes: 300 * megabyte, chunked, contentType: 'image/png' };
    // While the prompt runs, and again at its end.
    rig.sims[0]?.failNext('GET /view', huge, 2);
    const client = rig.client({ kind: 'rest' });
    const growth = await growthDuring(rig, client.done);
    expect(client.record.end).toEqual({ kind: 'failed', reason: expect.any(String) });
    expect(growth).toBeLessThan(30 * megabyte);
    rig.client();
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  '100 000 progress events at once: a client hears at most ten a second',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    const client = rig.client({ workflow: 'steps' });
    const run = await sim?.nextPrompt();
    run?.progress(1, 10);
    await waitUntil('progress', () => client.record.frames.some(({ status }) => status === 'progress'));
    await sim?.floodProgress(100_000);
    for (let picture = 0; picture < 200; picture += 1) run?.preview();
    await run?.finish();
    expect((await client.done).end?.kind).toBe('succeeded');
    const heard = client.record.frames.filter(({ status }) => status === 'progress');
    const seconds = ((heard.at(-1)?.at ?? 0) - (heard[0]?.at ?? 0)) / 1000;
    // The last two, 99.99 and 100 %, come with the end.
    expect(heard.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 4);
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  '50 MB of JSON, broken characters, endless nesting, unknown events: the job goes on',
  { timeout: 60_000 },
  async () => {
    await using rig = await startRig({ sims: [{}] });
    const [sim] = rig.sims;
    const client = rig.client({ workflow: 'steps' });
    const run = await sim?.nextPrompt();
    run?.progress(1, 10);
    sim?.sendRaw(
      JSON.stringify({ type: 'progress', data: { value: 1, max: 2, text: 'x'.repeat(50 * megabyte) } }),
    );
    sim?.sendRaw('['.repeat(100_000));
    sim?.sendRaw(`{"type":${'{"data":'.repeat(50_000)}1${'}'.repeat(50_000)}}`);
    sim?.sendRaw(Buffer.from([0xff, 0xfe, 0x7b, 0x22, 0xc3, 0x28]));
    sim?.sendRaw('{"type":"progress","data":null}');
    sim?.sendRaw('{"type":"progress_state","data":{}}');
    sim?.sendRaw('{"type":"something_of_the_future","data":{"prompt_id":"x","node":7}}');
    sim?.sendRaw('{"type":"execution_success"}');
    sim?.sendRaw('{"type":"executing","data":{"node":null,"prompt_id":"somebody else’s"}}');
    run?.progress(5, 10);
    await run?.finish();
    expect((await client.done).end?.kind).toBe('succeeded');
    expect(rig.prompts()).toHaveLength(1);
    expect(await rig.verdict()).toEqual([]);
  },
);

test(
  'a server of another version: without progress_state, and with an id of its own',
  { timeout: 60_000 },
  async () => {
    const features = { previewMetadata: false, clientPromptId: false, targetedInterrupt: false };
    await using rig = await startRig({
      sims: [
        { version: '0.3.30', features, mode: 'free', stepMs: 5 },
        { version: '0.9.0', features: { jobsApi: true }, mode: 'free', stepMs: 5 },
      ],
    });
    for (let job = 0; job < 8; job += 1)
      rig.client({ kind: job % 2 === 0 ? 'ws' : 'rest', workflow: 'steps' });
    expect(await rig.verdict()).toEqual([]);
    expect(rig.records.map(({ end }) => end?.kind)).toEqual(Array(8).fill('succeeded'));
  },
);
