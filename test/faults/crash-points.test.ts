import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startBackend } from './_backend-process.ts';
import type { BackendProcess } from './_backend-process.ts';
import { crashPoints } from './_crash-at.ts';
import type { CrashPoint } from './_crash-at.ts';
import { createPicture } from './_picture.ts';
import { createRandom } from './_random.ts';
import { nextNumber, startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { thorough } from './_settings.ts';
import { waitUntil } from './_wait-until.ts';

const seeds = thorough ? [1, 2, 3, 4, 5] : [1];
let backends: BackendProcess[];

beforeAll(async () => {
  backends = await Promise.all([startBackend({ stepMs: 10 }), startBackend({ stepMs: 40 })]);
});
afterAll(async () => {
  for (const backend of backends) await backend[Symbol.asyncDispose]();
});

describe.each(crashPoints)('killed at %s', (point) => {
  test.each(seeds)('seed %i: started again, every job ends well', { timeout: 60_000 }, async (seed) => {
    const random = createRandom(seed * 7919 + crashPoints.indexOf(point));
    const jobs = random.between(1, 4);
    const crashAt = { point, count: random.between(1, jobs) };
    await using rig = await startRig({ backends, crashAt });
    for (let job = 0; job < jobs; job += 1)
      await startJob(rig, point, random.chance(0.5) ? 'ws' : 'rest', random.between(3, 12));

    await waitUntil(`${point} to be reached`, () => !rig.bridge.isRunning, { withinMs: 15_000 });
    expect(rig.bridge.wasReached(point), `it died elsewhere: ${rig.bridge.complaints.join('\n')}`).toBe(true);
    // So long it is dead: nothing, or long enough for the backends to finish meanwhile.
    await delay(random.pick([0, 0, 400]));
    await rig.bridge.start();

    expect(
      await rig.verdict(),
      `seed ${seed}, ${jobs} jobs, at ${point} for the ${crashAt.count}. time`,
    ).toEqual([]);
  });
});

/** Only a job with an upload passes the point at which inputs have been staged. */
async function startJob(rig: Rig, point: CrashPoint, kind: 'ws' | 'rest', steps: number): Promise<void> {
  if (point !== 'input-staged') {
    rig.client({ kind, steps, workflow: 'steps' });
    return;
  }
  const number = nextNumber();
  const form = new FormData();
  form.append('file', new Blob([Uint8Array.from(createPicture(number))], { type: 'image/png' }), 'input.png');
  const saved = await rig.calls.upload('/upload', form);
  const { file }: { file: string } = JSON.parse(saved.text);
  rig.client({ number, kind, workflow: 'staged', inputs: { '1/image': file } });
}
