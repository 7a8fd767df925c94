import { expect, test } from 'vitest';

import { upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const page = 'https://page.example';

function preflight(t: TestBridge, origin = page): Promise<Response> {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };
  return t.get('/generate-based-workflow?clientId=one', { method: 'OPTIONS', headers });
}

function webSocket(t: TestBridge, origin?: string): Promise<number> {
  return upgrade(`${t.wsUrl}/ws?clientId=one`, origin === undefined ? {} : { origin }).then(
    ({ status }) => status,
  );
}

test('by default no other origin gets a permission, and none may open a WebSocket', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const answer of [await preflight(t), await t.get('/workflow-list', { headers: { origin: page } })]) {
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('access-control-allow-methods')).toBeNull();
  }
  expect(await webSocket(t, page)).toBe(403);
  expect(await webSocket(t, 'null')).toBe(403);
  expect(await webSocket(t, 'not a url')).toBe(403);
});

test('programs, which send no origin, and pages of the same origin may open a WebSocket', async () => {
  await using t = await startBridge({ sims: 0 });
  expect(await webSocket(t)).toBe(101);
  expect(await webSocket(t, t.url)).toBe(101);
});

test('a listed origin is echoed exactly; its neighbours are not', async () => {
  await using t = await startBridge({ sims: 0, env: { CORS_ORIGINS: `${page},http://localhost:5173` } });
  for (const origin of [page, 'http://localhost:5173']) {
    const answer = await preflight(t, origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('content-type');
    expect(answer.headers.get('vary')).toContain('Origin');
    expect(await webSocket(t, origin)).toBe(101);
  }
  for (const origin of ['https://page.example.evil.org', 'http://page.example', 'https://sub.page.example']) {
    expect((await preflight(t, origin)).headers.get('access-control-allow-origin')).toBeNull();
    expect(await webSocket(t, origin)).toBe(403);
  }
});

test('a page can read the reason headers and the error bodies', async () => {
  await using t = await startBridge({ sims: 0, env: { CORS_ORIGINS: page } });
  const answer = await t.get('/history?clientId=nobody', { headers: { origin: page } });
  expect(answer.headers.get('access-control-expose-headers')).toContain('X-Detail');
  const error = await t.get('/history', { headers: { origin: page } });
  expect(error.status).toBe(400);
  expect(error.headers.get('access-control-allow-origin')).toBe(page);
});

test('* is the open setup of the original', async () => {
  await using t = await startBridge({ sims: 0, env: { CORS_ORIGINS: '*' } });
  expect((await preflight(t)).headers.get('access-control-allow-origin')).toBe('*');
  expect(
    (await t.get('/workflow-list', { headers: { origin: page } })).headers.get('access-control-allow-origin'),
  ).toBe('*');
  expect(await webSocket(t, page)).toBe(101);
});
