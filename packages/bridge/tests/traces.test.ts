import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createLogger } from '../src/logging.ts';
import { startReceiver } from './_otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from './_otlp-receiver.ts';
import { ended, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { StartOptions } from './_start-bridge.ts';
import { startEndpoint, testSecret } from './_webhook-endpoint.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = '00f067aa0ba902b7';
const traceparent = (flags = '01') => ({ traceparent: `00-${trace}-${caller}-${flags}` });

function startTraced(receiver: OtlpReceiver, { env, ...options }: StartOptions = {}) {
  return startBridge({ ...options, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env } });
}

/** The names of the spans below one, in the order in which they began. */
function below({ spans }: OtlpReceiver, parent: ReceivedSpan | undefined): string[] {
  return spans
    .filter(({ parentSpanId }) => parent !== undefined && parentSpanId === parent.spanId)
    .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
    .map(({ name }) => name);
}

const find = ({ spans }: OtlpReceiver, name: string) => spans.find((span) => span.name === name);

test('a job is one trace: its waits, its attempts and their phases, and its delivery', async () => {
  await using receiver = await startReceiver();
  await using t = await startTraced(receiver);
  await runJob(t, 'one');
  const delivered = t.nextEvent('job:delivered');
  await (await t.get('/history?clientId=one')).arrayBuffer();
  await delivered;
  const job = await t.bridge.ledger.latestOf('one');
  await t.bridge.close();
  const root = find(receiver, 'job');
  expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));
  expect(root?.parentSpanId ?? '').toBe('');
  expect(root?.attributes).toEqual({
    'comfy_bridge.job.id': job?.id,
    'comfy_bridge.job.workflow': 'text-to-image',
    'comfy_bridge.job.status': 'succeeded',
    'comfy_bridge.job.attempts': 1,
  });
  expect(below(receiver, root)).toEqual(['queued', 'attempt 1', 'delivery']);
  const attempt = find(receiver, 'attempt 1');
  expect(attempt?.attributes).toMatchObject({
    'comfy_bridge.backend': 'backend-1',
    'comfy_bridge.attempt.outcome': 'succeeded',
  });
  // Collecting is a phase of its own only where it takes a while.
  expect(below(receiver, attempt).slice(0, 2)).toEqual(['staging', 'executing']);
  for (const span of receiver.spans)
    expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano), span.name).toBe(true);
  expect(receiver.requests.map(({ url }) => url)).toContain('/v1/traces');
  expect(receiver.resources[0]).toMatchObject({ 'service.name': 'comfy-bridge' });
});

test('what is told of a job holds no text of its prompt, and not who asked', async () => {
  await using receiver = await startReceiver();
  await using t = await startTraced(receiver);
  await submit(t, 'a-private-client', { '6/text': 'a private text' });
  (await t.sim.nextPrompt()).fail();
  await ended(t, 'a-private-client');
  await t.bridge.close();
  expect(find(receiver, 'job')?.status).toEqual({ code: 2, message: 'node_execution_error' });
  const told = receiver.requests.map(({ body }) => body).join();
  expect(told).toContain('node_execution_error');
  expect(told).not.toMatch(/private|127\.0\.0\.1/);
});

test("a job hangs below its caller's span, and is left out where the caller is not traced", async () => {
  await using receiver = await startReceiver();
  await using t = await startTraced(receiver, { sim: { mode: 'free', runMs: 0 } });
  const body = JSON.stringify({ workflow: 'text-to-image' });
  for (const [client, flags] of [
    ['traced', '01'],
    ['untraced', '00'],
  ] as const) {
    const answer = await t.post(`/generate-based-workflow?clientId=${client}`, body, {
      headers: traceparent(flags),
    });
    expect(answer.status, await answer.text()).toBe(200);
    await ended(t, client);
  }
  await t.bridge.close();
  expect(receiver.spans.filter(({ name }) => name === 'job')).toEqual([
    expect.objectContaining({ traceId: trace, parentSpanId: caller }),
  ]);
});

test('jobs of a list all hang below the one call, whichever API it came by', async () => {
  await using receiver = await startReceiver();
  await using t = await startTraced(receiver, { sim: { mode: 'free', runMs: 0 } });
  const answer = await t.post(
    '/api/bridge/workflows/text-to-image/jobs',
    { inputs: { seed: [1, 2, 3] } },
    { headers: { ...traceparent(), prefer: 'wait=20' } },
  );
  expect(answer.status, await answer.text()).toBe(200);
  await t.bridge.close();
  const roots = receiver.spans.filter(({ name }) => name === 'job');
  expect(roots.map(({ traceId, parentSpanId }) => `${traceId} ${parentSpanId}`)).toEqual(
    Array.from({ length: 3 }, () => `${trace} ${caller}`),
  );
});

test(
  'an attempt that is lost is told with the wait and the attempt after it',
  { timeout: 60_000 },
  async () => {
    await using receiver = await startReceiver();
    await using t = await startTraced(receiver, { sims: 2 });
    const [first, second] = t.sims;
    if (first === undefined || second === undefined) throw new Error('two simulated backends');
    const running = t.nextEvent('job:phase');
    await submit(t, 'one');
    const { state } = (await running).job;
    const isFirst = 'backend' in state && state.backend === 'backend-1';
    const lost = t.nextEvent('attempt:lost');
    await (isFirst ? first : second).refuse(true);
    await lost;
    await (await (isFirst ? second : first).nextPrompt()).finish({ images: 1 });
    await ended(t, 'one');
    await t.bridge.close();
    expect(below(receiver, find(receiver, 'job'))).toEqual(['queued', 'attempt 1', 'queued', 'attempt 2']);
    expect(find(receiver, 'attempt 1')).toMatchObject({ status: { code: 2, message: 'lost' } });
    expect(find(receiver, 'attempt 2')?.attributes).toMatchObject({
      'comfy_bridge.attempt.outcome': 'succeeded',
    });
  },
);

test('a webhook is a call below its job', async () => {
  await using receiver = await startReceiver();
  await using endpoint = await startEndpoint();
  await using t = await startTraced(receiver, {
    sim: { mode: 'free', runMs: 0 },
    env: { WEBHOOK_ALLOW: '127.0.0.1' },
  });
  const tried = t.nextEvent('webhook:tried');
  const answer = await t.post('/api/bridge/workflows/text-to-image/jobs', {
    webhook: { url: endpoint.url, secret: testSecret },
  });
  expect(answer.status, await answer.text()).toBe(201);
  expect((await tried).outcome).toBe('delivered');
  await t.bridge.close();
  const webhook = find(receiver, 'webhook');
  expect(webhook).toMatchObject({ kind: 3, parentSpanId: find(receiver, 'job')?.spanId });
  expect(webhook?.attributes).toEqual({ 'comfy_bridge.webhook.outcome': 'delivered' });
});

test('headers, name and attributes are as set, and a sampler that takes none sends nothing', async () => {
  await using receiver = await startReceiver();
  await using t = await startTraced(receiver, {
    env: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/own/path`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=a%20b',
      OTEL_SERVICE_NAME: 'studio',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,host.name=a%2Cb',
    },
  });
  await runJob(t, 'one');
  await t.bridge.close();
  expect(receiver.requests[0]?.url).toBe('/own/path');
  expect(receiver.requests[0]?.headers['x-collector-key']).toBe('a b');
  expect(receiver.resources[0]).toMatchObject({
    'service.name': 'studio',
    'deployment.environment.name': 'test',
    'host.name': 'a,b',
  });
  await using silent = await startReceiver();
  await using none = await startTraced(silent, {
    env: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
  });
  await runJob(none, 'one');
  await none.bridge.close();
  expect(silent.requests).toEqual([]);
});

test('a collector that refuses is complained of once, and costs the bridge nothing else', async () => {
  await using receiver = await startReceiver({ status: 400 });
  const lines: string[] = [];
  const log = createLogger({
    level: 'warn',
    format: 'json',
    destination: { write: (line) => void lines.push(line) },
  });
  await using t = await startTraced(receiver, { overrides: { log }, sim: { mode: 'free', runMs: 0 } });
  for (let count = 0; count < 200; count += 100) {
    const answer = await t.post(
      '/api/bridge/workflows/text-to-image/jobs',
      { inputs: { seed: Array.from({ length: 100 }, (_, index) => count + index) } },
      { headers: { prefer: 'wait=20' } },
    );
    expect(answer.status, await answer.text()).toBe(200);
  }
  await t.bridge.close();
  expect(receiver.requests.length).toBeGreaterThan(1);
  expect(lines.filter((line) => line.includes('traces could not be sent'))).toHaveLength(1);
});

const off = [
  {},
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_EXPORTER: 'none' },
];

test('where nothing is traced the SDK is not even loaded', { timeout: 60_000 }, () => {
  const start = pathToFileURL(join(import.meta.dirname, '_start-bridge.ts')).href;
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { startBridge } = await import(${JSON.stringify(start)});
    for (const env of ${JSON.stringify(off)}) {
      await using _ = await startBridge({ sims: 0, env });
    }
    console.log(JSON.stringify(loaded.filter((url) => /open-tracer|opentelemetry.(sdk|exporter|resources)/.test(url))), loaded.length > 100);
  `;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect(run.stdout.trim(), run.stderr).toBe('[] true');
});
