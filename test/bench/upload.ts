import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { Pool } from 'undici';

import { makeBmp, makePng, makeWav, toUploadBody } from './_content.ts';
import type { MadeFile } from './_content.ts';
import { startBridge } from './_fleet.ts';
import type { RunningBridge, Settings } from './_fleet.ts';
import { startLatencyProbe } from './_latency-probe.ts';
import { startMeasured } from './_measured-process.ts';
import type { Row } from './_report.ts';
import { showNumber } from './_stats.ts';

interface Case {
  what: string;
  file: MadeFile;
  parallel: number;
  /** Pictures in a compressed format are decoded in full, which no proxy does. */
  decoded: boolean;
}

/** Large files in, with every check on, while another client asks for something small. */
export async function measureUpload(settings: Settings): Promise<Row[]> {
  const scale = settings.quick ? 0.4 : 1;
  const side = 4_096;
  const cases: Case[] = [
    { what: `1 × ${500 * scale} MB WAV`, file: makeWav(500 * scale), parallel: 1, decoded: false },
    { what: `8 × ${100 * scale} MB WAV`, file: makeWav(100 * scale), parallel: 8, decoded: false },
    { what: `1 × ${250 * scale} MB BMP`, file: makeBmp(250 * scale), parallel: 1, decoded: false },
    { what: `1 × 50 MB PNG, decoded`, file: makePng(side), parallel: 1, decoded: true },
    { what: `4 × 50 MB PNG, decoded`, file: makePng(side), parallel: 4, decoded: true },
  ];
  const rows: Row[] = [];
  for (const one of settings.quick ? cases.slice(0, 2) : cases) {
    // A process each: memory once taken is seldom given back, and would count for the next case.
    await using bridge = await startBridge(settings, [], { UPLOAD_MAX_SIZE: '2000' });
    const plain = await receivePlainly(bridge.dataDir, one);
    rows.push(...(await measureCase(bridge, one, plain)));
  }
  return rows;
}

async function measureCase(
  bridge: RunningBridge,
  { what, file, parallel, decoded }: Case,
  plain: number,
): Promise<Row[]> {
  await sendAll(bridge.url, makeWav(5), 1);
  const before = await bridge.process.take({ collect: true });
  const probe = await startLatencyProbe(bridge.url);
  const speed = await sendAll(bridge.url, file, parallel);
  const latency = await probe.stop();
  const cost = await bridge.process.take();
  const grown = (cost.peakRss - before.rss) / 1e6;
  return [
    {
      scenario: 'upload',
      what,
      value: speed,
      unit: 'MB/s',
      reference: { label: 'plain receiver', value: plain },
      ...(!decoded && { gate: { atLeast: 300 } }),
      notes: `CPU ${showNumber((cost.cpuMs * 1e6) / (file.size * parallel))} ms/MB; loop p99 ${showNumber(cost.delayP99)}, max ${showNumber(cost.delayMax)} ms, busy ${showNumber(cost.utilization * 100)} %`,
    },
    {
      scenario: 'upload',
      what: `${what}: memory on top`,
      value: grown,
      unit: 'MB',
      // A buffer per upload, whatever its size; a decoder works on rows.
      gate: { atMost: 60 + parallel * 15 },
      notes: `peak RSS ${showNumber(cost.peakRss / 1e6)} MB`,
    },
    {
      scenario: 'upload',
      what: `${what}: another client waits at most`,
      value: latency.max,
      unit: 'ms',
      gate: { atMost: 50 },
      notes: `p50 ${showNumber(latency.p50)}, p99 ${showNumber(latency.p99)} ms of ${latency.count}`,
    },
  ];
}

/** MB/s of all together. */
export async function sendAll(
  url: string,
  file: MadeFile,
  parallel: number,
  path = '/upload',
): Promise<number> {
  const pool = new Pool(url, { connections: parallel, bodyTimeout: 0, headersTimeout: 120_000 });
  const startedAt = performance.now();
  try {
    await Promise.all(Array.from({ length: parallel }, () => sendOne(pool, file, path)));
    return (file.size * parallel) / 1000 / (performance.now() - startedAt);
  } finally {
    await pool.destroy();
  }
}

/** Resolves with the answer's body. */
export async function sendOne(pool: Pool, file: MadeFile, path = '/upload'): Promise<string> {
  const answer = await pool.request({ method: 'POST', path, ...toUploadBody(file) });
  const text = await answer.body.text();
  if (answer.statusCode > 201) throw new Error(`upload refused with ${answer.statusCode}: ${text}`);
  return text;
}

/** The same files to a server that only writes them down, onto the same disk. */
async function receivePlainly(directory: string, { file, parallel }: Case): Promise<number> {
  await using receiver = startMeasured({ args: [`${import.meta.dirname}/_plain-receiver.ts`, directory] });
  if (receiver.child.stdout === null) throw new Error('the plain receiver has no output');
  const [port]: unknown[] = await once(createInterface({ input: receiver.child.stdout }), 'line');
  const url = `http://127.0.0.1:${String(port)}`;
  await sendAll(url, makeWav(5), 1);
  return await sendAll(url, file, parallel);
}
