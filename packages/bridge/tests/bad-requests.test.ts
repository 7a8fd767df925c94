import { describe, expect, test } from 'vitest';

import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { accessModes, toHeaderLines } from './_access.ts';
import { detailOf, expectNoSecrets, rawConnection, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

describe.each(accessModes)('%s', (access) => {
  test('every refusal is JSON with a detail and nothing that only we should know', async () => {
    await using t = await startBridge({ access });
    const requests: [string, RequestInit?][] = [
      ['/nowhere'],
      ['/generate-based-workflow'],
      ['/history'],
      ['/history?clientId=a%00b'],
      ['/history?clientId=one&resType=xml'],
      ['/execution-info?clientId=nobody'],
      ['/workflow-info'],
      ['/workflow-info?workflow=../../etc/passwd'],
      ['/workflow-info?workflow[]=x'],
      ['/%2e%2e/%2e%2e/etc/passwd'],
      ['/%E0%A4%A'],
      ['/upload', { method: 'POST', body: 'x', headers: { 'content-type': 'multipart/form-data' } }],
      ['/upload', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
      ['/interrupt', { method: 'POST' }],
      ['/interrupt?clientId=nobody', { method: 'POST' }],
      ['/free?clientId=nobody', { method: 'POST' }],
      ['/free?clientId=a%20b', { method: 'POST' }],
      ['/generate-based-workflow?clientId=one', { method: 'POST', body: '{' }],
      ['/generate-based-workflow?clientId=one', { method: 'POST', body: '{"workflow":"/etc/passwd"}' }],
      ['/generation-count', { method: 'DELETE' }],
    ];
    for (const [path, init] of requests) {
      const answer = await t.get(path, init);
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.status, path).toBeLessThan(500);
      expect((await detailOf(answer)).length, path).toBeGreaterThan(10);
      expectNoSecrets(JSON.stringify([...answer.headers]));
      expect(answer.headers.get('x-powered-by')).toBeNull();
    }
    expect(t.errors).toEqual([]);
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a bad method', 'G\u0001T / HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'two content lengths',
      'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'a bad chunk',
      'POST /interrupt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['headers without end', `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}\r\n`],
  ])('%s is answered 4xx, and the bridge lives on', async (_what, bytes) => {
    await using t = await startBridge({ access, sims: 0 });
    using raw = rawConnection(t);
    raw.socket.write(bytes);
    const answer = await raw.received;
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expectNoSecrets(answer);
    expect((await t.get('/healthz')).status).toBe(200);
  });

  test('a bug is answered 500 with an id for the operator, and nothing of what went wrong', async () => {
    const store = {
      ...createMemoryJobStore(),
      insert: () => Promise.reject(new Error('/srv/secret is broken at 10.0.0.7:8188')),
    };
    await using t = await startBridge({ access, overrides: { store } });
    const answer = await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
    expect(answer.status).toBe(500);
    const detail = await detailOf(answer);
    expect(detail).not.toMatch(/secret|10\.0\.0\.7/);
    const id = /[0-9a-f-]{36}/.exec(detail)?.[0];
    expect(t.errors.join('\n')).toContain(id);
    expect(t.errors.join('\n')).toContain('/srv/secret is broken');
  });

  test('a slow request does not hold up another one', async () => {
    await using t = await startBridge({ access });
    using slow = rawConnection(t);
    slow.socket.write(
      `POST /generate-based-workflow?clientId=slow HTTP/1.1\r\nHost: x\r\n${toHeaderLines(t.credentials)}Content-Length: 100\r\n\r\n{"work`,
    );
    await submit(t, 'quick');
    expect((await t.get('/healthz')).status).toBe(200);
  });
});
