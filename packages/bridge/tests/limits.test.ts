import { expect, test } from 'vitest';

import { postAsset } from './_assets.ts';
import { picture } from './_files-fixtures.ts';
import { bearer, createClock, createKey, operatorToken, startKeyed } from './_keys.ts';
import { readRefusal, send } from './_named.ts';
import { detailOf, toForm, upgrade, upload } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const png = await picture(40, 40).png({ compressionLevel: 0 }).toBuffer();

test('requests beyond the limit of an address are refused with the time to wait, and come through after it', async () => {
  const clock = createClock();
  await using t = await startBridge({
    sims: 0,
    env: { LIMIT_REQUESTS: '3', TRUST_PROXY: 'loopback' },
    overrides: { now: clock.now },
  });
  const from = (address: string) => t.get('/workflow-list', { headers: { 'x-forwarded-for': address } });
  for (let at = 0; at < 3; at += 1) {
    const answer = await from('192.0.2.1');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('ratelimit')).toBeNull();
  }
  const refused = await from('192.0.2.1');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('20');
  expect(refused.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
  expect(refused.headers.get('ratelimit')).toBe('"requests";r=0;t=20');
  expect(await detailOf(refused)).toMatch(/3 requests a minute/);
  expect((await from('192.0.2.2')).status).toBe(200);
  // One network of IPv6 is one caller.
  for (let at = 1; at <= 3; at += 1) expect((await from(`2001:db8::${at}`)).status).toBe(200);
  expect((await from('2001:db8::4')).status).toBe(429);
  clock.advance(20_000);
  expect((await from('192.0.2.1')).status).toBe(200);
});

test('an address that is not forwarded by a trusted proxy is not believed', async () => {
  await using t = await startBridge({ sims: 0, env: { LIMIT_REQUESTS: '2' } });
  const statuses = [];
  for (let at = 0; at < 3; at += 1)
    statuses.push(
      (await t.get('/workflow-list', { headers: { 'x-forwarded-for': `192.0.2.${at}` } })).status,
    );
  expect(statuses).toEqual([200, 200, 429]);
});

test('a key has its own requests, and is told what is left of them', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { key } = await createKey(t, { limits: { requests_per_minute: 2 } });
  const other = await createKey(t);
  const list = (secret: string) => t.get('/api/bridge/workflows', { headers: bearer(secret) });
  const first = await list(key);
  expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=60');
  expect(first.headers.get('ratelimit')).toBe('"requests";r=1;t=30');
  expect((await list(key)).status).toBe(200);
  const refused = await list(key);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await readRefusal(refused)).toMatchObject({ status: 429, code: 'limited' });
  expect((await list(other.key)).status).toBe(200);
});

test('who sends wrong keys too often is told to wait, and a key that is right comes through nevertheless', async () => {
  const clock = createClock();
  await using t = await startKeyed({
    sims: 0,
    env: { LIMIT_KEY_ATTEMPTS: '3' },
    overrides: { now: clock.now },
  });
  const { key } = await createKey(t);
  const list = (secret: string) => t.get('/workflow-list', { headers: bearer(secret) });
  for (const guess of ['guess-1', 'cbk_wrong', 'guess-2']) expect((await list(guess)).status).toBe(401);
  const refused = await list('guess-3');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('20');
  expect(refused.headers.get('www-authenticate')).toBeNull();
  expect((await upgrade(`${t.wsUrl}/ws?clientId=one`, bearer('guess-4'))).status).toBe(429);
  expect((await list(key)).status).toBe(200);
  // Not the token: it may be short, and this address has been guessing.
  expect((await list(operatorToken)).status).toBe(429);
  clock.advance(60_000);
  expect((await list(operatorToken)).status).toBe(200);
});

test('unfinished jobs are limited for each owner, all of a group or none', async () => {
  await using t = await startKeyed({ sim: {}, env: { LIMIT_UNFINISHED_JOBS: '3' } });
  const [one, two] = [await createKey(t, { limits: { unfinished_jobs: 2 } }), await createKey(t)];
  const run = (secret: string, inputs = {}) => send(t, inputs, { headers: bearer(secret) });
  expect((await run(one.key, { seed: [1, 2] })).status).toBe(201);
  const refused = await run(one.key);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await readRefusal(refused)).toMatchObject({ status: 429, code: 'limited' });
  expect((await run(two.key, { seed: [1, 2] })).status).toBe(201);
  expect((await run(two.key, { seed: [1, 2] })).status).toBe(429);
  expect((await run(two.key)).status).toBe(201);
  expect([...t.bridge.ledger.unfinished()]).toHaveLength(5);
  const finished = t.nextEvent('job:finished');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const { job } = await finished;
  expect((await run(job.owner === `key:${one.id}` ? one.key : two.key)).status).toBe(201);
});

test('without keys an address has unfinished jobs, whatever secrets it thinks of', async () => {
  await using t = await startBridge({ env: { LIMIT_UNFINISHED_JOBS: '1' } });
  expect((await send(t, {}, { headers: bearer('one') })).status).toBe(201);
  expect((await send(t, {}, { headers: bearer('two') })).status).toBe(429);
});

test('a file, and all files of a key together, have their limits, whatever API they come by', async () => {
  await using t = await startKeyed({ sims: 0 });
  const small = await createKey(t, { limits: { upload_bytes: 1_000 } });
  const files = (secret: string) => ({ headers: bearer(secret) });
  const form = () => toForm([{ bytes: png, fileName: 'a.png' }]);
  const plain = (secret: string) => t.post('/upload', undefined, { ...files(secret), body: form() });
  const asset = (secret: string) => postAsset(t, { bytes: png, ...files(secret) });
  const resumable = (secret: string) =>
    t.post('/api/bridge/uploads', undefined, {
      headers: {
        ...bearer(secret),
        'tus-resumable': '1.0.0',
        'upload-length': String(png.length),
        'upload-metadata': `filename ${Buffer.from('a.png').toString('base64')}`,
      },
    });
  expect((await plain(small.key)).status).toBe(413);
  expect((await asset(small.key)).status).toBe(422);
  expect((await resumable(small.key)).status).toBe(413);
  const two = await createKey(t, { limits: { stored_bytes: 2 * png.length } });
  expect((await plain(two.key)).status).toBe(200);
  expect((await asset(two.key)).status).toBe(201);
  for (const again of [plain, asset, resumable]) {
    const refused = await again(two.key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
  }
  const other = await createKey(t);
  expect((await plain(other.key)).status).toBe(200);
});

test('a file that fits by itself, but not beside what is stored, is refused once it is known how large it is', async () => {
  await using t = await startKeyed({
    sims: 0,
    env: { LIMIT_STORED: String((1.5 * png.length) / 1024 ** 3) },
  });
  const { key } = await createKey(t);
  const headers = bearer(key);
  const made = await postAsset(t, { bytes: png, headers });
  expect(made.status).toBe(201);
  const refused = await t.post('/upload', undefined, {
    headers,
    body: toForm([{ bytes: png, fileName: 'a.png' }]),
  });
  expect(refused.status).toBe(429);
});

test('open WebSockets and event streams are limited, and those that end make room', async () => {
  await using t = await startBridge({ env: { LIMIT_SOCKETS: '2', LIMIT_STREAMS: '1' } });
  const url = `${t.wsUrl}/ws?clientId=one`;
  const first = await openSocket(url);
  using second = await openSocket(url);
  const refused = await upgrade(url);
  expect(refused.status).toBe(429);
  expect(refused.headers['retry-after']).toBe('5');
  first.close();
  await first.closed;
  await expect.poll(async () => (await upgrade(url)).status, { timeout: 10_000 }).toBe(101);
  expect(second.socket.readyState).toBe(second.socket.OPEN);
  const { id } = (await (await send(t, {})).json()) as { id: string };
  const left = new AbortController();
  const open = () => t.get(`/api/bridge/jobs/${id}/events`, { signal: left.signal });
  expect((await open()).status).toBe(200);
  const more = await open();
  expect(more.status).toBe(429);
  expect(more.headers.get('retry-after')).not.toBeNull();
  left.abort();
});

test('without settings of its own nothing is limited that was not before', async () => {
  await using t = await startBridge({ sims: 0 });
  const answers = await Promise.all(Array.from({ length: 200 }, () => t.get('/workflow-list')));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await upload(t, [{ bytes: png, fileName: 'a.png' }])).status).toBe(200);
});
