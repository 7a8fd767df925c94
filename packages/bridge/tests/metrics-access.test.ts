import { expect, test } from 'vitest';

import { withRules } from '../src/http/access-rules.ts';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { scrape } from './_scrape.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const metricsToken = 'the-token-of-prometheus';

async function statusFor(t: TestBridge, headers: Record<string, string> = {}, path = '/metrics') {
  const answer = await t.get(path, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

test('with keys, operators and the token for metrics may read them, and nobody else', async () => {
  await using t = await startKeyed({ env: { METRICS_TOKEN: metricsToken } });
  const client = await createKey(t, { role: 'client' });
  const operator = await createKey(t, { role: 'operator' });
  expect(await statusFor(t)).toBe(401);
  expect(await statusFor(t, bearer('some-other-token-of-it'))).toBe(401);
  expect(await statusFor(t, bearer(client.key))).toBe(403);
  expect(await statusFor(t, bearer(operator.key))).toBe(200);
  expect(await statusFor(t, bearer(operatorToken))).toBe(200);
  expect(await statusFor(t, bearer(metricsToken))).toBe(200);
  expect(await statusFor(t, bearer(metricsToken), '/METRICS/')).toBe(200);
});

test('the token for metrics opens nothing else', async () => {
  await using t = await startKeyed({ env: { METRICS_TOKEN: metricsToken } });
  const closed = withRules(t.bridge.routes).filter(
    ({ path, rule }) => path !== '/metrics' && rule !== 'public',
  );
  for (const { method, path } of closed) {
    const answer = await t.get(path.replaceAll(/:\w+/g, 'x'), {
      method: method.toUpperCase(),
      headers: bearer(metricsToken),
    });
    expect([401, 429], `${method} ${path}`).toContain(answer.status);
    await answer.arrayBuffer();
  }
});

test('a Prometheus that scrapes often is no guesser of keys', async () => {
  await using t = await startKeyed({ env: { METRICS_TOKEN: metricsToken, LIMIT_KEY_ATTEMPTS: '2' } });
  for (let count = 0; count < 5; count += 1) expect(await statusFor(t, bearer(metricsToken))).toBe(200);
  expect(await statusFor(t, bearer('a-wrong-token-of-it'))).toBe(401);
  expect(await statusFor(t, bearer(operatorToken))).toBe(200);
});

test('an operator whose token is the one for metrics is still an operator', async () => {
  await using t = await startKeyed({ env: { METRICS_TOKEN: operatorToken } });
  expect(await statusFor(t, bearer(operatorToken))).toBe(200);
  expect(await statusFor(t, bearer(operatorToken), '/api/bridge/backends')).toBe(200);
});

test('METRICS=public opens them to whoever reaches the port, and nothing else', async () => {
  await using t = await startKeyed({ env: { METRICS: 'public' } });
  expect(await statusFor(t)).toBe(200);
  expect(await statusFor(t, {}, '/api/bridge/stats')).toBe(401);
});

test('without keys, this machine may read them, and with its token who comes from elsewhere', async () => {
  await using t = await startBridge({ sims: 0, env: { METRICS_TOKEN: metricsToken } });
  const elsewhere = { 'x-forwarded-for': '192.0.2.1' };
  expect(await statusFor(t)).toBe(200);
  expect(await statusFor(t, elsewhere)).toBe(403);
  expect(await statusFor(t, { ...elsewhere, ...bearer(metricsToken) })).toBe(200);
  expect(await statusFor(t, { ...elsewhere, ...bearer(metricsToken) }, '/api/bridge/stats')).toBe(403);
});

test('they come in the format of Prometheus, and lie under the base path', async () => {
  await using t = await startBridge({ sims: 0, env: { BASE_PATH: '/comfy' } });
  const answer = await t.get('/metrics');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  await answer.arrayBuffer();
  expect((await scrape(t)).value('comfy_bridge_http_requests_total', { route: '/metrics' })).toBe(1);
});

test('two bridges of one process count for themselves', async () => {
  await using one = await startBridge({ sims: 0 });
  await using two = await startBridge({ sims: 0 });
  await one.get('/healthz');
  const healthz = { route: '/healthz' };
  expect((await scrape(one)).value('comfy_bridge_http_requests_total', healthz)).toBe(1);
  expect((await scrape(two)).value('comfy_bridge_http_requests_total', healthz)).toBe(0);
});
