import { expect, test } from 'vitest';

import { JobStoreError } from '../src/jobs/job-store.ts';
import { createMemoryJobStore } from '../src/jobs/memory-job-store.ts';
import { fleetApi, refusalOf } from './_fleet-api.ts';
import { startBridge } from './_start-bridge.ts';

const secret = 'secret-of-a-proxy';

test.each<[body: unknown, reason: RegExp]>([
  [{}, /^url: /],
  [{ url: 7 }, /^url: /],
  [{ url: 'localhost' }, /host:port, or a URL/],
  [{ url: `http://me:${secret}@a` }, /no user name or password .* a token goes into "token"/],
  [{ url: `http://a;token=${secret}` }, /host:port, or a URL/],
  [{ url: `http://a/?token=${secret}` }, /without "\?"/],
  [{ url: 'a:1', name: 'my gpu' }, /a name of 1 to 64 letters/],
  [{ url: 'a:1', name: '' }, /a name of 1 to 64 letters/],
  [{ url: 'a:1', name: 'x'.repeat(65) }, /a name of 1 to 64 letters/],
  [{ url: 'a:1', token: `${secret} ${secret}` }, /^token: a token is 1 to 512 printable/],
  [{ url: 'a:1', weight: 0 }, /^weight: at least 0\.01$/],
  [{ url: 'a:1', weight: 101 }, /^weight: at most 100$/],
  [{ url: 'a:1', weight: '2' }, /^weight: .*number/],
  [{ url: 'a:1', tags: 'fast' }, /^tags: .*array/],
  [{ url: 'a:1', tags: ['fast', 'not this'] }, /^tags\.1: a tag is a text of/],
  [{ url: 'a:1', tags: Array.from({ length: 33 }, (_, n) => `t${n}`) }, /^tags: at most 32/],
  [{ url: 'a:1', workflows: [''] }, /^workflows\.0: /],
  [{ url: 'a:1', mode: 'off' }, /^mode: .*"draining"/],
  [{ url: 'a:1', wieght: 2, mode: 'off' }, /mode: .*wieght/],
  ['[]', /not a JSON object: send a JSON object such as \{"url"/],
  ['{"url": "a:1', /not valid JSON: send a JSON object such as \{"url"/],
])('a new backend of %j is refused, and no secret is repeated', async (body, reason) => {
  await using t = await startBridge({ sims: 0 });
  const message = await refusalOf(await fleetApi(t).send('POST', '', body), 400, 'bad_request');
  expect(message).toMatch(reason);
  expect(message).not.toContain(secret);
  expect(t.bridge.fleet.backends).toEqual([]);
});

test.each<[body: unknown, reason: RegExp]>([
  [{}, /name at least one of weight/],
  [{ url: 'a:1' }, /url/],
  [{ name: 'other' }, /name/],
  [{ token: 'a b' }, /^token: /],
  [{ weight: null }, /^weight: /],
])('a change of %j is refused and changes nothing', async (body, reason) => {
  await using t = await startBridge();
  const { settings } = t.bridge.fleet.backends[0]!;
  expect(await refusalOf(await fleetApi(t).send('PATCH', '/backend-1', body), 400, 'bad_request')).toMatch(
    reason,
  );
  expect(t.bridge.fleet.backends[0]?.settings).toBe(settings);
});

test('a name or an address that is taken is a conflict', async () => {
  await using t = await startBridge();
  const { send } = fleetApi(t);
  const again = (body: object) => send('POST', '', body);
  expect(await refusalOf(await again({ url: 'a:1', name: 'backend-1' }), 409, 'conflict')).toMatch(
    /is taken/,
  );
  expect(await refusalOf(await again({ url: t.sim.url, name: 'b' }), 409, 'conflict')).toMatch(
    /as backend-1/,
  );
  const both = await Promise.all([again({ url: 'a:1', name: 'x' }), again({ url: 'b:1', name: 'x' })]);
  expect(both.map(({ status }) => status)).toEqual([201, 409]);
  await send('PATCH', '/x', { mode: 'draining' });
  expect(t.errors).toEqual([]);
});

test('a fleet of a thousand takes no more', async () => {
  await using t = await startBridge({ sims: 0 });
  for (let n = 1; n <= 1_000; n += 1)
    t.bridge.fleet.add({ name: `b${n}`, endpoint: { url: `http://127.0.0.1:1/${n}` } });
  expect(await refusalOf(await fleetApi(t).send('POST', '', { url: 'a:1' }), 409, 'conflict')).toMatch(
    /1000/,
  );
});

test.each([
  ['GET', ''],
  ['PATCH', ''],
  ['DELETE', ''],
  ['POST', '/drain'],
  ['POST', '/pause'],
  ['POST', '/resume'],
  ['POST', '/free'],
])('%s of a backend that is not there%s is 404, and for strangers 403', async (method, tail) => {
  await using t = await startBridge();
  const body = method === 'PATCH' ? '{"weight":2}' : undefined;
  const call = (name: string, headers = {}) =>
    t.get(`/api/bridge/backends/${name}${tail}`, { method, ...(body && { body }), headers });
  await refusalOf(await call('nobody'), 404, 'not_found');
  await refusalOf(await call('%2e%2e%2f'), 404, 'not_found');
  const refused = await call('backend-1', { 'x-forwarded-for': '203.0.113.7' });
  expect(await refusalOf(refused, 403, 'forbidden')).not.toContain(String(t.sim.port));
  expect(t.bridge.fleet.backends).toMatchObject([
    { settings: { mode: 'active', weight: 1 }, isLeaving: false },
  ]);
});

test('strangers neither see nor add backends, nor what workflows require', async () => {
  await using t = await startBridge();
  const stranger = { headers: { 'x-forwarded-for': '203.0.113.7' } };
  const add = await t.post('/api/bridge/backends', { url: 'a:1' }, stranger);
  await refusalOf(add, 403, 'forbidden');
  await refusalOf(await t.get('/api/bridge/backends', stranger), 403, 'forbidden');
  const path = '/api/bridge/workflows/text-to-image/requirements';
  await refusalOf(await t.get(path, stranger), 403, 'forbidden');
  await refusalOf(await t.post(path, { tags: [] }, { ...stranger, method: 'PUT' }), 403, 'forbidden');
  expect(t.bridge.fleet.backends).toHaveLength(1);
});

test('a token is told to nobody', async () => {
  await using t = await startBridge({ sims: 0 });
  const { send, add } = fleetApi(t);
  const answers = [
    JSON.stringify(await add({ url: 'a:1', name: 'x', token: secret })),
    await (await send('PATCH', '/x', { token: `${secret}2` })).text(),
    await (await t.get('/api/bridge/backends')).text(),
    await (await t.get('/api/bridge/backends/x')).text(),
    await (await send('DELETE', '/x')).text(),
  ];
  expect(answers.join()).not.toContain(secret);
  expect(answers.map((text) => text.includes('a:1'))).toEqual([false, false, true, true, false]);
});

test('now is true or false', async () => {
  await using t = await startBridge();
  const message = await refusalOf(await fleetApi(t).send('DELETE', '/backend-1?now=1'), 400, 'bad_request');
  expect(message).toBe('now is true or false');
  expect(t.bridge.fleet.backends).toMatchObject([{ isLeaving: false }]);
});

test('what cannot be kept is refused and changes nothing', async () => {
  const store = createMemoryJobStore();
  const full = async () => {
    throw new JobStoreError('full');
  };
  await using t = await startBridge({ overrides: { store: { ...store, writeRecords: full } } });
  const { send } = fleetApi(t);
  for (const answer of [
    await send('POST', '', { url: 'a:1', name: 'x' }),
    await send('PATCH', '/backend-1', { weight: 2 }),
    await send('POST', '/backend-1/drain'),
    await t.post('/api/bridge/workflows/text-to-image/requirements', { tags: ['x'] }, { method: 'PUT' }),
  ]) {
    await refusalOf(answer, 507, 'storage_full');
  }
  expect(t.bridge.fleet.backends).toMatchObject([
    { name: 'backend-1', settings: { mode: 'active', weight: 1 } },
  ]);
});
