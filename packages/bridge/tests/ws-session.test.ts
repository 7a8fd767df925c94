import { expect, test } from 'vitest';

import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { rawConnection, submit, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('connected comes first, then a heartbeat every interval; both keys always hold the same text', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.05' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  const began = performance.now();
  for (let beat = 0; beat < 4; beat += 1) await client.next('listening');
  expect(performance.now() - began).toBeGreaterThan(120);
  const [first, ...rest] = client.frames;
  expect(first).toEqual({ status: 'connected', details: 'server connected', detail: 'server connected' });
  for (const frame of rest) {
    expect(frame).toEqual({
      status: 'listening',
      details: 'server is listening',
      detail: 'server is listening',
    });
  }
});

test('every frame of a whole job has these three keys and no other', async () => {
  await using t = await startBridge({ env: { TIMEOUT_INTERVAL: '0.05' } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.progress(10, 20, '3');
  await client.next('progress');
  await client.next('listening');
  await run.finish({ images: 1 });
  await client.closed;
  expect(new Set(client.frames.map(({ status }) => status))).toEqual(
    new Set(['connected', 'listening', 'progress', 'closed']),
  );
  for (const frame of client.frames) {
    expect(Object.keys(frame).toSorted()).toEqual(['detail', 'details', 'status']);
    expect(frame.details).toBe(frame.detail);
  }
  expect(t.errors).toEqual([]);
});

test.each([
  ['missing', ''],
  ['empty', '?clientId='],
  ['with a blank', '?clientId=a%20b'],
  ['with a slash', '?clientId=..%2Fetc'],
  ['with a line break', '?clientId=a%0Ab'],
  ['too long', `?clientId=${'x'.repeat(129)}`],
  ['broken', '?clientId=%E0%A4%A'],
])('a clientId that is %s is answered 400 with the reason as JSON', async (_what, query) => {
  await using t = await startBridge({ sims: 0 });
  const answer = await upgrade(`${t.wsUrl}/ws${query}`);
  expect(answer.status).toBe(400);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(JSON.parse(answer.body)).toEqual({ detail: expect.stringContaining('clientId') });
});

test('every allowed character, 128 of them, is a good clientId', async () => {
  await using t = await startBridge({ sims: 0 });
  const clientId = 'aZ09._:-'.padEnd(128, 'x');
  using client = await openSocket(`${t.wsUrl}/ws?clientId=${clientId}`);
  expect(await client.next()).toMatchObject({ status: 'connected' });
});

test('closed is the last frame; then the server closes with 1000', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await client.closed).toMatchObject({ code: 1000 });
  expect(client.frames.at(-1)).toEqual({
    status: 'closed',
    details: 'Execution is done',
    detail: 'Execution is done',
  });
  expect(client.frames.filter(({ status }) => status === 'closed')).toHaveLength(1);
});

test('a failed job: error with the reason, then the server closes, and closed is never said', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({ message: 'the sampler broke' });
  const error = await client.next('error');
  expect(error.detail).toContain('the sampler broke');
  expect(error.details).toBe(error.detail);
  expect(await client.closed).toMatchObject({ code: 1000 });
  expect(client.frames.at(-1)).toEqual(error);
  expect(client.frames.map(({ status }) => status)).not.toContain('closed');
});

test('all sockets of a clientId hear of the job; those of others hear nothing of it', async () => {
  await using t = await startBridge();
  using one = await openSocket(`${t.wsUrl}/ws?clientId=shared`);
  using two = await openSocket(`${t.wsUrl}/ws?clientId=shared`);
  using stranger = await openSocket(`${t.wsUrl}/ws?clientId=stranger`);
  await submit(t, 'shared');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await Promise.all([one.closed, two.closed]);
  for (const client of [one, two]) expect(client.frames.at(-1)).toMatchObject({ status: 'closed' });
  expect(stranger.frames.filter(({ status }) => status !== 'listening')).toEqual([
    expect.objectContaining({ status: 'connected' }),
  ]);
});

test('a socket opened after the submit hears the end as well', async () => {
  await using t = await startBridge();
  await submit(t, 'late');
  const run = await t.sim.nextPrompt();
  run.progress(5, 20, '3');
  using client = await openSocket(`${t.wsUrl}/ws?clientId=late`);
  expect(await client.next()).toMatchObject({ status: 'connected' });
  expect(await client.next()).toMatchObject({ status: 'progress' });
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
});

test('the same clientId serves one job after the other, each on its own socket', async () => {
  await using t = await startBridge();
  for (const text of ['first', 'second']) {
    using client = await openSocket(`${t.wsUrl}/ws?clientId=again`);
    expect(await client.next()).toMatchObject({ status: 'connected' });
    await submit(t, 'again', { '6/text': text });
    const run = await t.sim.nextPrompt();
    expect(run.prompt['6']?.inputs['text']).toBe(text);
    await run.finish({ images: 1 });
    expect(await client.next('closed')).toMatchObject({ status: 'closed' });
    expect(await client.closed).toMatchObject({ code: 1000 });
    expect(client.frames.filter(({ status }) => status === 'closed')).toHaveLength(1);
  }
});

test('a job store that does not answer stops no heartbeat', async () => {
  const store = { ...createMemoryJobStore(), latestOf: () => Promise.reject(new Error('the disk is gone')) };
  await using t = await startBridge({ sims: 0, env: { TIMEOUT_INTERVAL: '0.05' }, overrides: { store } });
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one&events=2`);
  for (let beat = 0; beat < 3; beat += 1) await client.next('listening');
});

test('a WebSocket elsewhere than /ws is answered 404', async () => {
  await using t = await startBridge({ sims: 0 });
  const answer = await upgrade(`${t.wsUrl}/elsewhere?clientId=one`);
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.body)).toEqual({ detail: expect.any(String) });
});

test.each(['//', '//:', 'http://[', '/%', '*'])(
  'an upgrade to the odd target %s harms nobody',
  async (target) => {
    await using t = await startBridge({ sims: 0 });
    using raw = rawConnection(t);
    raw.socket.write(
      `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    expect(await raw.received).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await t.get('/healthz')).status).toBe(200);
  },
);
