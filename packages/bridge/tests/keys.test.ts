import { keyListSchema, keySchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { bearer, createClock, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { readRefusal } from './_named.ts';
import { detailOf, parseBody, rawConnection } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const asOperator = { headers: bearer(operatorToken) };
const keyed = { KEYS: 'required', OPERATOR_TOKEN: operatorToken };
const list = (t: TestBridge, secret: string) => t.get('/workflow-list', { headers: bearer(secret) });

async function reasonOf(t: TestBridge, secret: string): Promise<string> {
  const answer = await list(t, secret);
  expect(answer.status).toBe(401);
  return detailOf(answer);
}

test('a key is told once, listed without its secret, and lives on over a restart until it is revoked', async () => {
  await using world = await startWorld();
  let key;
  {
    await using t = await world.start({ env: keyed });
    key = await createKey(t, { name: 'shop', expires_in: 3_600, limits: { unfinished_jobs: 3 } });
    expect((await list(t, key.key)).status).toBe(200);
    expect((await t.get('/workflow-list', { headers: { 'x-api-key': key.key } })).status).toBe(200);
  }
  await using t = await world.start({ env: keyed });
  expect((await list(t, key.key)).status).toBe(200);
  const text = await (await t.get('/api/bridge/keys', asOperator)).text();
  expect(text).not.toContain(key.key.slice(17, 60));
  const { keys } = keyListSchema.parse(JSON.parse(text));
  expect(keys).toMatchObject([
    {
      ...{ id: key.id, name: 'shop', role: 'client', state: 'active', created_by: 'OPERATOR_TOKEN' },
      limits: { unfinished_jobs: 3, requests_per_minute: null },
      last_used_at: expect.any(String),
    },
  ]);
  await revokeKey(t, key.id);
  expect(await reasonOf(t, key.key)).toMatch(/was revoked/);
  const after = await parseBody(t.get(`/api/bridge/keys/${key.id}`, asOperator));
  expect(keySchema.parse(after)).toMatchObject({ state: 'revoked', revoked_at: expect.any(String) });
});

test('a revoked key stays revoked over a restart, whatever is changed', async () => {
  await using world = await startWorld();
  let key;
  {
    await using t = await world.start({ env: keyed });
    key = await createKey(t);
    await revokeKey(t, key.id);
    for (const [method, path, body] of [
      ['PATCH', '', { expires_in: null }],
      ['POST', '/rotate', {}],
    ] as const) {
      const answer = await t.get(`/api/bridge/keys/${key.id}${path}`, {
        ...asOperator,
        method,
        body: JSON.stringify(body),
      });
      expect((await readRefusal(answer)).status).toBe(409);
    }
  }
  await using t = await world.start({ env: keyed });
  expect(await reasonOf(t, key.key)).toMatch(/was revoked/);
});

test('only who has the secret of a key is told what became of it', async () => {
  const clock = createClock();
  await using t = await startKeyed({ sims: 0, overrides: { now: clock.now } });
  const key = await createKey(t, { expires_in: 60 });
  const forged = `cbk_${key.id}_${'A'.repeat(43)}`;
  expect(await reasonOf(t, `${forged}00000000`)).toMatch(/cut or mistyped/);
  clock.advance(61_000);
  expect(await reasonOf(t, key.key)).toMatch(/has expired/);
  const other = await createKey(t);
  expect((await list(t, other.key)).status).toBe(200);
  const patched = await t.get(`/api/bridge/keys/${key.id}`, {
    ...asOperator,
    method: 'PATCH',
    body: '{"expires_in": null}',
  });
  expect(patched.status).toBe(200);
  expect((await list(t, key.key)).status).toBe(200);
});

test('a secret that is replaced is good for as long as its operator says, and what is its own stays', async () => {
  const clock = createClock();
  await using t = await startKeyed({ overrides: { now: clock.now } });
  const key = await createKey(t);
  const made = await t.post(
    '/generate-based-workflow?clientId=one',
    { workflow: 'text-to-image' },
    { headers: bearer(key.key) },
  );
  expect(made.status).toBe(200);
  const rotate = async (body: unknown) => {
    const answer = await t.post(`/api/bridge/keys/${key.id}/rotate`, body, asOperator);
    expect(answer.status).toBe(200);
    return (await parseBody<{ key: string }>(answer)).key;
  };
  const second = await rotate({ overlap: 60 });
  expect((await list(t, key.key)).status).toBe(200);
  expect((await list(t, second)).status).toBe(200);
  clock.advance(61_000);
  await reasonOf(t, key.key);
  const info = await t.get('/execution-info?clientId=one', { headers: bearer(second) });
  expect(info.status).toBe(200);
  const third = await rotate({});
  await reasonOf(t, second);
  expect((await list(t, third)).status).toBe(200);
});

test('a change of role counts from the next request on', async () => {
  await using t = await startKeyed({ sims: 0 });
  const key = await createKey(t);
  const backends = () => t.get('/api/bridge/backends', { headers: bearer(key.key) });
  expect(await readRefusal(backends())).toMatchObject({ status: 403, code: 'forbidden' });
  const answer = await t.get(`/api/bridge/keys/${key.id}`, {
    ...asOperator,
    method: 'PATCH',
    body: '{"role": "operator"}',
  });
  expect(answer.status).toBe(200);
  expect((await backends()).status).toBe(200);
});

test('without keys required nothing changes, and an operator can make keys for later', async () => {
  await using world = await startWorld();
  let key;
  {
    await using t = await world.start();
    expect((await t.get('/workflow-list')).status).toBe(200);
    const answer = await t.post('/api/bridge/keys', { name: 'later', role: 'operator' });
    key = await parseBody<{ key: string }>(answer);
    expect((await t.post('/api/bridge/tickets')).status).toBe(201);
  }
  await using t = await world.start({ env: { KEYS: 'required' } });
  expect((await t.get('/workflow-list')).status).toBe(401);
  expect((await t.get('/api/bridge/backends', { headers: bearer(key.key) })).status).toBe(200);
});

test('a key is never taken from a URL, and the bridge logs none', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { key } = await createKey(t);
  for (const name of ['key', 'api_key', 'token', 'access_token', 'ticket'])
    expect((await t.get(`/workflow-list?${name}=${key}`)).status).toBe(401);
  expect(t.errors).toEqual([]);
});

test('however a path is written, the rule of its route holds', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { key } = await createKey(t);
  const ask = async (target: string, secret: string) => {
    using connection = rawConnection(t);
    connection.socket.write(
      `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${secret === '' ? '' : `X-API-Key: ${secret}\r\n`}\r\n`,
    );
    return Number((await connection.received).split(' ')[1]);
  };
  const same = ['/api/bridge/keys', '/API/Bridge/KEYS', '/api/bridge/keys/', '/api/bridge/keys?x=/healthz'];
  for (const target of [...same, 'http://elsewhere/api/bridge/keys']) {
    expect(await ask(target, key), target).toBe(403);
    expect(await ask(target, operatorToken), target).toBe(200);
    expect(await ask(target, ''), target).toBe(401);
  }
  const other = [
    '/api/bridge//keys',
    '/api/bridge/./keys',
    '/api%2Fbridge%2Fkeys',
    '/healthz/../api/bridge/keys',
  ];
  for (const target of [...other, '/healthz;/../api/bridge/keys', '//api/bridge/keys']) {
    expect([403, 404], target).toContain(await ask(target, key));
    expect(await ask(target, ''), target).toBe(401);
  }
});

test('below a base path the rules hold too, and beside it strangers learn nothing', async () => {
  await using t = await startKeyed({ sims: 0, env: { BASE_PATH: '/comfy' } });
  const { key } = await createKey(t);
  expect((await list(t, key)).status).toBe(200);
  expect((await t.get('/workflow-list')).status).toBe(401);
  expect((await t.get('/healthz')).status).toBe(200);
  expect((await t.get('/api/bridge/keys', { headers: bearer(key) })).status).toBe(403);
  const outside = (headers: Record<string, string>) =>
    fetch(new URL('/workflow-list', t.url), { headers: { connection: 'close', ...headers } });
  expect((await outside({})).status).toBe(401);
  expect((await outside(bearer(key))).status).toBe(404);
});
