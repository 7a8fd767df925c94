import { ticketSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { openEvents } from './_event-client.ts';
import { bearer, createClock, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { readJob, send } from './_named.ts';
import { parseBody, upgrade } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const stepwise = { sim: {} };
const wsUrl = (t: TestBridge, more = '') => `${t.wsUrl}/ws?clientId=one${more}`;

async function ticketFor(t: TestBridge, secret: string): Promise<string> {
  const answer = await t.post('/api/bridge/tickets', undefined, { headers: bearer(secret) });
  expect(answer.status).toBe(201);
  return ticketSchema.parse(await parseBody(answer)).ticket;
}

test('a WebSocket needs a key, as a header or by a ticket that opens one connection', async () => {
  await using t = await startKeyed({ sims: 0 });
  const { key } = await createKey(t);
  for (const more of ['', `&ticket=${key}`, '&ticket=nope', `&key=${key}`]) {
    const refused = await upgrade(wsUrl(t, more));
    expect(refused.status, more).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
  }
  // Whoever has none learns nothing else either.
  expect((await upgrade(`${t.wsUrl}/nope`)).status).toBe(401);
  expect((await upgrade(`${t.wsUrl}/ws`)).status).toBe(401);
  using byHeader = await openSocket(wsUrl(t), { headers: bearer(key) });
  expect((await byHeader.next()).status).toBe('connected');
  const ticket = await ticketFor(t, key);
  using byTicket = await openSocket(wsUrl(t, `&ticket=${ticket}`));
  expect((await byTicket.next()).status).toBe('connected');
  expect((await upgrade(wsUrl(t, `&ticket=${ticket}`))).status).toBe(401);
});

test('a ticket is too old after a minute, and worth nothing once its key is revoked', async () => {
  const clock = createClock();
  await using t = await startKeyed({ sims: 0, overrides: { now: clock.now } });
  const key = await createKey(t);
  const old = await ticketFor(t, key.key);
  clock.advance(60_001);
  expect((await upgrade(wsUrl(t, `&ticket=${old}`))).status).toBe(401);
  const fresh = await ticketFor(t, key.key);
  await revokeKey(t, key.id);
  expect((await upgrade(wsUrl(t, `&ticket=${fresh}`))).status).toBe(401);
});

test('a revocation closes the open WebSockets and event streams of that key, and of no other', async () => {
  await using t = await startKeyed(stepwise);
  const [key, other] = [await createKey(t), await createKey(t)];
  const job = await readJob(send(t, {}, { headers: bearer(key.key) }));
  const otherJob = await readJob(send(t, {}, { headers: bearer(other.key) }));
  const eventsOf = async (id: string, secret: string) =>
    openEvents(`${t.url}/api/bridge/jobs/${id}/events?ticket=${await ticketFor(t, secret)}`);
  using socket = await openSocket(wsUrl(t), { headers: bearer(key.key) });
  using otherSocket = await openSocket(wsUrl(t), { headers: bearer(other.key) });
  using events = await eventsOf(job.id, key.key);
  using otherEvents = await eventsOf(otherJob.id, other.key);
  await events.next('status');
  await otherEvents.next('status');
  await revokeKey(t, key.id);
  expect(await socket.next('error')).toMatchObject({ detail: 'this key is no longer valid' });
  expect(await socket.closed).toMatchObject({ code: 4401 });
  await events.ended;
  expect(events.events.at(-1)).toMatchObject({ event: 'error', data: { error: { code: 'unauthorized' } } });
  expect(otherSocket.socket.readyState).toBe(otherSocket.socket.OPEN);
  const finished = t.nextEvent('job:finished', ({ job: { id } }) => id === otherJob.id);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await finished;
  await otherEvents.ended;
  expect(otherEvents.events.at(-1)).toMatchObject({ event: 'status', data: { status: 'succeeded' } });
});

test('who waits for a job with a key that is revoked meanwhile does not get its result', async () => {
  await using t = await startKeyed(stepwise);
  const key = await createKey(t);
  const waiting = send(t, {}, { headers: { ...bearer(key.key), prefer: 'wait=20', accept: 'image/*' } });
  const run = await t.sim.nextPrompt();
  await revokeKey(t, key.id);
  await run.finish({ images: 1 });
  expect((await waiting).status).toBe(401);
});

test('a ticket may what its key may when it is used', async () => {
  await using t = await startKeyed(stepwise);
  const [key, other] = [await createKey(t, { role: 'operator' }), await createKey(t)];
  const { id } = await readJob(send(t, {}, { headers: bearer(other.key) }));
  const ticket = await ticketFor(t, key.key);
  const changed = await t.get(`/api/bridge/keys/${key.id}`, {
    method: 'PATCH',
    body: '{"role": "client"}',
    headers: bearer(operatorToken),
  });
  expect(changed.status).toBe(200);
  expect((await t.get(`/api/bridge/jobs/${id}/events?ticket=${ticket}`)).status).toBe(404);
});

test('a key lets no page of another origin open a WebSocket', async () => {
  await using t = await startKeyed({ sims: 0, env: { CORS_ORIGINS: 'https://studio.example' } });
  const { key } = await createKey(t);
  const from = async (origin: string) =>
    (await upgrade(wsUrl(t, `&ticket=${await ticketFor(t, key)}`), { origin })).status;
  expect(await from('https://evil.example')).toBe(403);
  expect(await from('https://studio.example')).toBe(101);
});

test('a key that expires while its WebSocket is open closes it', async () => {
  const clock = createClock();
  await using t = await startKeyed({ sims: 0, overrides: { now: clock.now } });
  const { key } = await createKey(t, { expires_in: 30 });
  using socket = await openSocket(wsUrl(t), { headers: bearer(key) });
  clock.advance(30_000);
  expect(await socket.closed).toMatchObject({ code: 4401 });
});

test('two keys that use the same clientId do not see, stop or take from each other', async () => {
  await using t = await startKeyed(stepwise);
  const [one, two] = [await createKey(t), await createKey(t)];
  const generate = (secret: string) =>
    t.post(
      '/generate-based-workflow?clientId=one',
      { workflow: 'text-to-image' },
      { headers: bearer(secret) },
    );
  using socket = await openSocket(wsUrl(t), { headers: bearer(one.key) });
  using otherSocket = await openSocket(wsUrl(t), { headers: bearer(two.key) });
  expect((await generate(one.key)).status).toBe(200);
  expect((await generate(two.key)).status).toBe(200);
  const again = await generate(one.key);
  expect(await again.json()).toEqual({
    detail: expect.stringMatching(/^clientId one has an unfinished job/),
  });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await socket.next('closed');
  expect(otherSocket.frames.map(({ status }) => status)).not.toContain('closed');
  const history = (secret: string) => t.get('/history?clientId=one', { headers: bearer(secret) });
  expect((await history(two.key)).status).toBe(204);
  expect((await history(one.key)).status).toBe(200);
  // Operators name them whole.
  const info = (clientId: string) =>
    t.get(`/execution-info?clientId=${clientId}`, { headers: bearer(operatorToken) });
  expect((await info(`key:${two.id}:one`)).status).toBe(200);
  expect((await info('one')).status).toBe(400);
  const jobs = await parseBody<{ jobs: { client_id: string }[] }>(
    t.get('/api/bridge/jobs?clientId=one', { headers: bearer(two.key) }),
  );
  expect(jobs.jobs.map(({ client_id }) => client_id)).toEqual(['one']);
  const all = await parseBody<{ jobs: { client_id: string }[] }>(
    t.get('/api/bridge/jobs', { headers: bearer(operatorToken) }),
  );
  expect(all.jobs.map(({ client_id }) => client_id).toSorted()).toEqual(
    [`key:${one.id}:one`, `key:${two.id}:one`].toSorted(),
  );
});
