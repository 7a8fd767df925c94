import { createContentHasher } from '../../packages/bridge/src/lib/content-hash.ts';
import { makeWav } from './_content.ts';
import { createDirectClient } from './_direct-client.ts';
import { startBridge, startSims } from './_fleet.ts';
import type { Settings } from './_fleet.ts';
import type { Row } from './_report.ts';
import { showNumber, summarize } from './_stats.ts';
import { nextColour, tinyPrompt } from './_tiny-job.ts';
import { sendAll } from './upload.ts';
import { createV2Client } from './_v2-client.ts';

/** Comfy API v2: what a job costs more than without the bridge, many listeners on one job, and assets named by their hash. */
export async function measureV2(settings: Settings): Promise<Row[]> {
  return [
    ...(await measureOverhead(settings)),
    ...(await measureListeners(settings)),
    ...(await measureAssets(settings)),
  ];
}

async function measureOverhead(settings: Settings): Promise<Row[]> {
  await using sims = await startSims({ runMs: 0 });
  await using bridge = await startBridge(settings, sims.urls);
  await using direct = await createDirectClient(sims.urls, 4);
  await using client = createV2Client(bridge.url, 4);
  const rounds = settings.quick ? 3 : 8;
  const times = { direct: [] as number[], first: [] as number[], result: [] as number[] };
  let lost = 0;
  // In turns, so that a machine that is slower for a while is slower for both; the first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (let job = 0; job < 100; job += 1) {
      const startedAt = performance.now();
      const outcome = await direct.runJob();
      if (round > 0 && outcome === 'right') times.direct.push(performance.now() - startedAt);
    }
    for (let job = 0; job < 100; job += 1) {
      const ran = await client.runJob();
      if (ran.outcome !== 'right') lost += 1;
      if (round === 0) continue;
      times.first.push(ran.firstEventMs);
      times.result.push(ran.resultMs);
    }
  }
  const [base, first, result] = [times.direct, times.first, times.result].map(summarize);
  if (base === undefined || first === undefined || result === undefined) throw new Error('nothing measured');
  const shared = { scenario: 'Comfy API v2, 1 client', unit: 'ms' };
  return [
    {
      ...shared,
      what: 'submit to first event, p50',
      value: first.p50,
      notes: `p99 ${showNumber(first.p99)} ms`,
    },
    {
      ...shared,
      what: 'submit to result: added p50',
      value: result.p50 - base.p50,
      gate: { atMost: 10 },
      stretch: { atMost: 3 },
      notes: `direct ${showNumber(base.p50)}/${showNumber(base.p99)}, through ${showNumber(result.p50)}/${showNumber(result.p99)} ms; lost ${lost}`,
    },
    { ...shared, what: 'submit to result: added p99', value: result.p99 - base.p99, gate: { atMost: 50 } },
  ];
}

const listeners = 1_000;

/** So many streams of one job that runs for some seconds: how busy the bridge is, and how far apart its listeners hear the end. */
async function measureListeners(settings: Settings): Promise<Row[]> {
  const runMs = settings.quick ? 3_000 : 10_000;
  await using sims = await startSims({ count: 1, runMs });
  await using bridge = await startBridge(settings, sims.urls);
  await using client = createV2Client(bridge.url, listeners + 8);
  const job = await client.submit(tinyPrompt(nextColour()));
  const streams = await Promise.all(Array.from({ length: listeners }, () => client.openEvents(job.events)));
  const refused = streams.filter(({ statusCode }) => statusCode !== 200).length;
  await bridge.process.take();
  const ends: number[] = [];
  let events = 0;
  await Promise.all(
    streams.map(async ({ body }) => {
      let text = '';
      for await (const chunk of body) text += String(chunk);
      ends.push(performance.now());
      events += text.split('event: ').length - 1;
      if (!text.includes('"succeeded"')) throw new Error('a listener did not hear the end');
    }),
  );
  const figures = await bridge.process.take();
  const spread = Math.max(...ends) - Math.min(...ends);
  const shared = { scenario: `${listeners} listeners of one job`, unit: 'ms' };
  return [
    {
      ...shared,
      what: 'event-loop delay p99',
      value: figures.delayP99,
      gate: { atMost: 20 },
      stretch: { atMost: 10 },
      notes: `max ${showNumber(figures.delayMax)} ms; CPU ${showNumber(figures.cpuMs)} ms in ${showNumber(runMs / 1000)} s; ${events} events; refused ${refused}; ${showNumber(figures.rss / 2 ** 20)} MB`,
    },
    { ...shared, what: 'first to last that hears the end', value: spread },
  ];
}

/** Assets with every check and their hash, while another timer of the same process should not be late. */
async function measureAssets(settings: Settings): Promise<Row[]> {
  const megabytes = settings.quick ? 200 : 500;
  await using bridge = await startBridge(settings, [], { UPLOAD_MAX_SIZE: '2000' });
  const file = makeWav(megabytes);
  await sendAll(bridge.url, makeWav(5), 1, '/api/v2/assets');
  await bridge.process.take({ collect: true });
  const speed = await sendAll(bridge.url, file, 1, '/api/v2/assets');
  const figures = await bridge.process.take();
  const plain = await sendAll(bridge.url, file, 1);
  return [
    { scenario: 'blake3', what: 'hashing alone', value: hashSpeed(), unit: 'MB/s', gate: { atLeast: 300 } },
    {
      scenario: 'assets',
      what: `1 × ${megabytes} MB WAV`,
      value: speed,
      unit: 'MB/s',
      reference: { label: 'POST /upload', value: plain },
      gate: { atLeast: 300 },
      notes: `CPU ${showNumber((figures.cpuMs * 1e6) / file.size)} ms/MB; peak RSS ${showNumber(figures.peakRss / 1e6)} MB`,
    },
    {
      scenario: 'assets',
      what: 'event-loop delay p99 meanwhile',
      value: figures.delayP99,
      unit: 'ms',
      gate: { atMost: 20 },
      stretch: { atMost: 10 },
      notes: `max ${showNumber(figures.delayMax)} ms`,
    },
  ];
}

/** MB/s of one thread over pieces as they come from a socket. */
function hashSpeed(): number {
  const hasher = createContentHasher();
  const piece = Buffer.alloc(256 * 1024, 7);
  const startedAt = performance.now();
  for (let count = 0; count < 2_000; count += 1) hasher.update(piece);
  hasher.digest();
  return (piece.length * 2_000) / 1000 / (performance.now() - startedAt);
}
