import { setTimeout as delay } from 'node:timers/promises';

import { Pool } from 'undici';

import { makePng } from './_content.ts';
import { startBridge, startSims } from './_fleet.ts';
import type { RunningBridge, Settings } from './_fleet.ts';
import { startLatencyProbe } from './_latency-probe.ts';
import type { Row } from './_report.ts';
import { showNumber } from './_stats.ts';
import { sendOne } from './upload.ts';

const side = 4_096;

/** A job whose results are two pictures of 50 MB: staged, collected, checked and handed out without being held in memory. */
export async function measureLargeResult(settings: Settings): Promise<Row[]> {
  await using sims = await startSims({ count: 1, runMs: 0 });
  await using bridge = await startBridge(settings, sims.urls);
  const pool = new Pool(bridge.url, { connections: 2, headersTimeout: 120_000 });
  const rows: Row[] = [];
  for (const resType of settings.quick ? ['multipart'] : ['multipart', 'base64']) {
    rows.push(...(await measureDownload(bridge, pool, resType)));
  }
  await pool.destroy();
  return rows;
}

async function measureDownload(bridge: RunningBridge, pool: Pool, resType: string): Promise<Row[]> {
  const clientId = `large-${resType}`;
  const { file }: { file: string } = JSON.parse(await sendOne(pool, makePng(side)));
  const before = await bridge.process.take({ collect: true });
  await call(
    pool,
    'POST',
    `/generate-based-workflow?clientId=${clientId}`,
    JSON.stringify({ workflow: 'large', '1/image': file }),
  );
  await untilClosed(pool, clientId);
  const collected = await bridge.process.take({ collect: true });
  const probe = await startLatencyProbe(bridge.url);
  const startedAt = performance.now();
  const answer = await pool.request({
    method: 'GET',
    path: `/history?clientId=${clientId}&resType=${resType}`,
  });
  if (answer.statusCode !== 200) throw new Error(`GET /history: ${answer.statusCode}`);
  let bytes = 0;
  for await (const chunk of answer.body) bytes += Buffer.isBuffer(chunk) ? chunk.length : 0;
  const ms = performance.now() - startedAt;
  const latency = await probe.stop();
  const sent = await bridge.process.take();
  const scenario = `large result, ${resType}`;
  return [
    {
      scenario,
      what: 'memory on top while it is staged and collected',
      value: (collected.peakRss - before.rss) / 1e6,
      unit: 'MB',
      gate: { atMost: 100 },
      notes: `loop p99 ${showNumber(collected.delayP99)}, max ${showNumber(collected.delayMax)} ms; two pictures of 50 MB decoded side by side`,
    },
    {
      scenario,
      what: `memory on top while ${showNumber(bytes / 1e6)} MB are sent`,
      value: (sent.peakRss - collected.rss) / 1e6,
      unit: 'MB',
      gate: { atMost: 50 },
      notes: `${showNumber(bytes / 1000 / ms)} MB/s; loop p99 ${showNumber(sent.delayP99)}, max ${showNumber(sent.delayMax)} ms`,
    },
    {
      scenario,
      what: 'another client waits at most',
      value: latency.max,
      unit: 'ms',
      gate: { atMost: 50 },
      notes: `p99 ${showNumber(latency.p99)} ms of ${latency.count}`,
    },
  ];
}

async function untilClosed(pool: Pool, clientId: string): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const text = await call(pool, 'GET', `/execution-info?clientId=${clientId}`);
    if (text.includes('"closed"')) return;
    if (text.includes('"error"')) throw new Error(`the large job failed: ${text}`);
    await delay(50);
  }
  throw new Error('the large job did not end within a minute');
}

async function call(pool: Pool, method: 'GET' | 'POST', path: string, body?: string): Promise<string> {
  const answer = await pool.request({ method, path, ...(body !== undefined && { body }) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
  return text;
}
