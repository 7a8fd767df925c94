import { setTimeout as delay } from 'node:timers/promises';

import { tally } from './_oracle.ts';
import type { Tally } from './_oracle.ts';
import { createRandom } from './_random.ts';
import type { Random } from './_random.ts';
import { startRig } from './_rig.ts';
import type { Rig } from './_rig.ts';
import { waitUntil } from './_wait-until.ts';

export interface Sample {
  minute: number;
  rssMb: number;
  /** Live heap after a collection. */
  heapMb: number;
  fds: number;
  sockets: number;
  files: number;
}

export interface ScheduleReport extends Tally {
  seed: number;
  minutes: number;
  faults: Record<string, number>;
  /** Prompts that backends started. */
  attempts: number;
  bridgeStarts: number;
  samples: Sample[];
  violations: string[];
}

export interface ScheduleOptions {
  seed: number;
  minutes: number;
  /** Between two faults, at the most. */
  faultEveryMs?: number;
  onSample?(sample: Sample, rig: Rig): void;
}

/** What happens next; each lasts a bounded time and puts right what it broke. */
const faults: Record<string, (rig: Rig, random: Random) => Promise<unknown>> = {
  async killBackend(rig, random) {
    const backend = random.pick(rig.backends);
    await backend.kill9();
    await delay(random.between(100, 2_000));
    await backend.start();
  },
  async pauseBackend(rig, random) {
    const backend = random.pick(rig.backends);
    backend.pause();
    await delay(random.between(200, 4_000));
    backend.resume();
  },
  async killBridge(rig, random) {
    await rig.bridge.kill9();
    await delay(random.between(0, 800));
    await rig.bridge.start();
  },
  async stopBridge(rig) {
    await rig.bridge.term();
    await rig.bridge.start();
  },
  async pauseBridge(rig, random) {
    rig.bridge.pause();
    await delay(random.between(100, 1_500));
    rig.bridge.resume();
  },
  resetBackendLink: async (rig, random) => random.pick(rig.links).cut(),
  async slowBackendLink(rig, random) {
    const link = random.pick(rig.links);
    await link.set({ delayMs: random.between(5, 200) });
    await delay(random.between(500, 3_000));
    await link.set();
  },
  async cutBackendLink(rig, random) {
    const link = random.pick(rig.links);
    await link.set({ holds: random.pick([['up'], ['down'], ['up', 'down']] as const) });
    await delay(random.between(200, 4_000));
    await link.set();
  },
  async refuseBackendLink(rig, random) {
    const link = random.pick(rig.links);
    await link.set({ refuses: true });
    link.cut();
    await delay(random.between(200, 3_000));
    await link.set();
  },
  resetClients: async (rig) => rig.front?.cut(),
  async slowClients(rig, random) {
    await rig.front?.set({ delayMs: random.between(5, 100) });
    await delay(random.between(300, 2_000));
    await rig.front?.set();
  },
};

const kinds = ['ws', 'ws', 'rest'] as const;

/**
 * Submits, cancels, goodbyes and faults in an order that follows from the seed, against real processes, and then the
 * verdict. The seed decides what is chosen; what the system makes of it also depends on the machine.
 */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleReport> {
  const { seed, minutes, faultEveryMs = 3_000 } = options;
  const random = createRandom(seed);
  await using rig = await startRig({
    backends: [{ stepMs: 10 }, { stepMs: 25 }, { stepMs: 60 }],
    links: true,
    front: true,
    env: { GRACE_SECONDS: '15' },
  });
  const counts: Record<string, number> = {};
  const samples: Sample[] = [];
  const endAt = performance.now() + minutes * 60_000;
  const isOver = () => performance.now() > endAt;

  async function sample(): Promise<void> {
    const { rss, fds, sockets } = await rig.bridge.figures();
    const left = await rig.bridge.leftFiles();
    const heapMb = toMb(await rig.bridge.liveMemory());
    const minute = Math.round((minutes - Math.max(0, endAt - performance.now()) / 60_000) * 10) / 10;
    const files = left.results + left.orphans + left.tmp + left.uploads;
    const taken = { minute, rssMb: toMb(rss), heapMb, fds, sockets, files };
    samples.push(taken);
    options.onSample?.(taken, rig);
  }

  async function disturb(): Promise<void> {
    // What costs most comes more often than the rest.
    const names = [...Object.keys(faults), 'killBridge', 'killBridge', 'killBackend', 'stopBridge'];
    let sampleAt = performance.now() + 60_000;
    while (!isOver()) {
      await delay(random.between(faultEveryMs / 4, faultEveryMs));
      const name = random.pick(names);
      counts[name] = (counts[name] ?? 0) + 1;
      await faults[name]?.(rig, random);
      // Between two faults, when nothing is broken on purpose.
      if (performance.now() > sampleAt) {
        sampleAt += 60_000;
        await sample();
      }
    }
  }

  await warmUp(rig);
  await sample();
  await Promise.all([disturb(), submitForever(rig, createRandom(seed + 1), isOver)]);
  const violations = await rig.verdict();
  await sample();
  const prompts = rig.prompts().length;
  return {
    seed,
    minutes,
    ...tally(rig.records),
    faults: counts,
    attempts: prompts,
    bridgeStarts: rig.bridge.life,
    samples,
    violations,
  };
}

/** The first jobs load code and fill caches: what memory is compared with comes after. */
async function warmUp(rig: Rig): Promise<void> {
  for (let job = 0; job < 20; job += 1)
    rig.client({ kind: kinds[job % 3] ?? 'ws', workflow: job % 2 === 0 ? 'steps' : 'tiny' });
  await waitUntil('the first jobs', () => rig.records.every(({ end }) => end !== undefined), {
    withinMs: 60_000,
  });
}

/** Jobs of several kinds, never more than a few dozen under way; some are cancelled, some clients come and go. */
async function submitForever(rig: Rig, random: Random, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await delay(random.between(30, 300));
    if (rig.records.filter(({ end }) => end === undefined).length >= 24) continue;
    const client = rig.client({
      kind: random.pick(kinds),
      workflow: random.chance(0.7) ? 'steps' : 'tiny',
      steps: random.between(2, 20),
      extended: random.chance(0.3),
      withinMs: 90_000,
    });
    const fate = random.next();
    const after = random.between(0, 400);
    if (fate < 0.1) void delay(after).then(() => client.cancel());
    else if (fate < 0.18)
      void delay(after).then(() => client.disconnect(random.chance(0.5) ? 'reset' : 'close'));
    else if (fate < 0.23 && client.record.kind === 'ws') void delay(after).then(() => client.leave('reset'));
  }
}

function toMb(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
