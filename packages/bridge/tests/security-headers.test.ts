import { expect, test } from 'vitest';

import { bearer, operatorToken, startKeyed } from './_keys.ts';
import { rawConnection } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

test('every answer says that it is not to be framed, run, sniffed or kept', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const path of ['/workflow-list', '/nope', '/healthz', '/docs', '/api/v2/jobs/nope']) {
    const { headers } = await t.get(path);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
    expect(headers.get('content-security-policy'), path).toContain("default-src 'none'");
    expect(headers.get('referrer-policy'), path).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy'), path).toBe('same-origin');
    expect(headers.get('strict-transport-security'), path).toBeNull();
    // A page of another origin may show results, as it always could.
    expect(headers.get('cross-origin-resource-policy'), path).toBeNull();
  }
});

test('with keys no page can embed anything, and behind TLS browsers stay there', async () => {
  await using t = await startKeyed({ sims: 0, env: { TRUST_PROXY: 'loopback' } });
  const headers = { ...bearer(operatorToken), 'x-forwarded-proto': 'https' };
  const answer = await t.get('/workflow-list', { headers });
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
  expect((await t.get('/nope')).headers.get('cross-origin-resource-policy')).toBe('same-origin');
});

test('with keys a page of a listed origin is told why, and a preflight needs none', async () => {
  const origin = 'https://studio.example';
  await using t = await startKeyed({ sims: 0, env: { CORS_ORIGINS: origin } });
  const refused = await t.get('/workflow-list', { headers: { origin } });
  expect(refused.status).toBe(401);
  expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
  const preflight = await t.get('/workflow-list', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'GET' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Authorization.*X-API-Key/);
  const other = await t.get('/workflow-list', { headers: { origin: 'https://evil.example' } });
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
});

test('headers that are too many or too large are refused, and never left out without a word', async () => {
  await using t = await startBridge({ sims: 0 });
  const ask = async (lines: string) => {
    using connection = rawConnection(t);
    connection.socket.write(
      `GET /workflow-list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n`,
    );
    return (await connection.received).split('\r\n')[0];
  };
  const many = (count: number) => Array.from({ length: count }, (_, at) => `x${at}: 1\r\n`).join('');
  expect(await ask(many(150))).toBe('HTTP/1.1 200 OK');
  expect(await ask(many(250))).toBe('HTTP/1.1 400 Bad Request');
  expect(await ask(`x: ${'y'.repeat(20_000)}\r\n`)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
  // Beyond what Node would have dropped, the last one still counts.
  const forwarded = `${'a:\r\n'.repeat(2_100)}x-forwarded-for: 192.0.2.1\r\n`;
  expect(await ask(forwarded)).toBe('HTTP/1.1 400 Bad Request');
});

test('JSON that is nested too deeply is refused', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const [depth, status] of [
    [400, 400],
    [600, 400],
    [100_000, 400],
  ] as const) {
    const answer = await t.post(
      '/generate-based-workflow?clientId=one',
      `{"workflow": "text-to-image", "x": ${'['.repeat(depth)}${']'.repeat(depth)}}`,
    );
    expect(answer.status).toBe(status);
    expect(await answer.text()).toMatch(depth > 500 ? /not valid JSON/ : /not an input/);
  }
  expect(t.errors).toEqual([]);
});
