import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { isTerminal } from '../src/jobs/job.ts';
import { startHostile } from './_hostile-comfy.ts';
import { createRandom } from './_mutate.ts';
import { secretPattern } from './_mutate-json.ts';
import { ended, submit, uploadOne } from './_requests.ts';
import { png } from './_assets.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

/** Jobs of which each meets dozens of answers and frames. */
const cases = Math.ceil(Number(process.env['FUZZ_CASES'] ?? 1_000) / 100);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Everything that a client can read of a job, whatever became of it. */
async function readAll(t: TestBridge, clientId: string): Promise<string> {
  const job = await t.bridge.ledger.latestOf(clientId);
  const paths = [
    `/api/bridge/jobs/${job?.id}`,
    `/api/v2/jobs/${job?.id}`,
    `/execution-info?clientId=${clientId}`,
    `/history?clientId=${clientId}`,
    '/api/bridge/workflows',
    '/api/bridge/workflows/text-to-image/placement',
  ];
  const texts = await Promise.all(
    paths.map(async (path) => {
      const answer = await t.get(path);
      expect(answer.status, path).not.toBe(500);
      const isJson = answer.headers.get('content-type')?.includes('json') === true;
      return (
        JSON.stringify([...answer.headers]) +
        (isJson ? await answer.text() : (await answer.arrayBuffer(), ''))
      );
    }),
  );
  return texts.join('\n');
}

test(
  `jobs on machines that say nonsense now and then end, and clients hear none of it (FUZZ_SEED=${seed})`,
  { timeout: 60_000 + cases * 5_000 },
  async () => {
    const random = createRandom(seed);
    await using sim = await startSim({ mode: 'free', runMs: 5, previews: true, donor: {} });
    await using hostile = await startHostile(sim, random, 12);
    await using t = await startBridge({
      sims: 0,
      ready: false,
      env: {
        COMFYUI_SERVERS: `lent=${hostile.address}`,
        PROBE_INTERVAL: '0.05',
        MAX_ATTEMPTS: '3',
        JOB_STORE: 'sqlite',
      },
    });
    const outcomes = new Map<string, number>();
    // Each with a seed of its own: what a lent machine has forgotten, its cache still names.
    for (let number = 0; number < cases; number++) {
      const clientId = `c${number}`;
      using client = await openSocket(`${t.wsUrl}/ws?clientId=${clientId}&previews=1&events=2`);
      const withImage = number % 3 === 0;
      const body = withImage
        ? { workflow: 'image-to-image', '10/image': await uploadOne(t, png), '15/seed': number }
        : { '3/seed': number };
      await submit(t, clientId, body);
      const status = async () => (await t.bridge.ledger.latestOf(clientId))?.state.status ?? 'queued';
      const what = `job ${number}, FUZZ_SEED=${seed}`;
      await expect
        .poll(async () => isTerminal(await status()), { timeout: 60_000, message: what })
        .toBe(true);
      outcomes.set(await status(), (outcomes.get(await status()) ?? 0) + 1);
      const all = `${await readAll(t, clientId)}\n${JSON.stringify(client.frames)}`;
      expect(all, `FUZZ_SEED=${seed}`).not.toMatch(secretPattern);
      expect(all, `FUZZ_SEED=${seed}`).not.toContain(hostile.address);
    }
    process.stdout.write(`hostile: ${hostile.changed()} changed; ${JSON.stringify([...outcomes])}\n`);
    expect(hostile.changed()).toBeGreaterThan(0);
    expect(t.errors).toEqual([]);
    // And as if nothing was, once it behaves.
    hostile.behave();
    await submit(t, 'last', { '3/seed': cases });
    expect(await ended(t, 'last')).toMatchObject({ state: { status: 'succeeded' } });
    expect([...t.bridge.ledger.unfinished()]).toEqual([]);
    await expect.poll(() => readdir(join(t.dataDir, 'tmp'))).toEqual([]);
  },
);
