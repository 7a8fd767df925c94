import {
  addressedBackendSchema,
  backendGoneEventSchema,
  bridgeJobSchema,
  helloEventSchema,
  jobGoneEventSchema,
  jobPreviewEventSchema,
  jobProgressEventSchema,
  queueEventSchema,
} from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';
import type { z } from 'zod';

import { openEvents } from './_event-client.ts';
import type { EventReader, StreamedEvent } from './_event-client.ts';
import { bearer, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const schemas: Readonly<Record<string, z.ZodType>> = {
  hello: helloEventSchema,
  job: bridgeJobSchema,
  progress: jobProgressEventSchema,
  preview: jobPreviewEventSchema,
  queue: queueEventSchema,
  gone: jobGoneEventSchema,
  backend: addressedBackendSchema,
  backend_gone: backendGoneEventSchema,
};
const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(200, 7)]);

/** Connected, with its `hello` read. */
async function follow(t: TestBridge, query = '', headers: Record<string, string> = {}) {
  const reader = await openEvents(`${t.url}/api/bridge/events${query}`, undefined, headers);
  expect(reader.status, reader.text()).toBe(200);
  await reader.next('hello');
  return reader;
}

async function run(t: TestBridge, headers: Record<string, string>): Promise<string> {
  const answer = await t.post('/api/bridge/workflows/text-to-image/jobs', {}, { headers });
  expect(answer.status).toBe(201);
  return (await parseBody<{ id: string }>(answer)).id;
}

/** The first event of that kind from here on for which it holds. */
async function until(
  reader: EventReader,
  event: string,
  matches: (data: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (;;) {
    const { data } = await reader.next(event);
    if (typeof data === 'object' && data !== null && matches({ ...data })) return { ...data };
  }
}

const untilDone = (reader: EventReader, id: string) =>
  until(reader, 'job', (job) => job['id'] === id && job['status'] === 'succeeded');

/** Every event is as its schema says; which jobs were told of. */
function jobsOf(events: readonly StreamedEvent[]): Set<unknown> {
  const ids = new Set<unknown>();
  for (const { event, data } of events) {
    const parsed: unknown = schemas[event]?.parse(data);
    expect(parsed, event).toBeDefined();
    if (typeof parsed === 'object' && parsed !== null && 'id' in parsed) ids.add(parsed.id);
  }
  return ids;
}

test('a job is told from its place in the line to its end, as a read of it would answer it', async () => {
  await using t = await startBridge();
  const mine = bearer('a-secret-of-my-own');
  using reader = await follow(t, '', mine);
  const id = await run(t, mine);
  await until(reader, 'job', (job) => job['id'] === id && job['status'] === 'queued');
  const prompt = await t.sim.nextPrompt();
  prompt.progress(5, 20, '3');
  expect(await until(reader, 'progress', (data) => data['id'] === id)).toMatchObject({
    progress: { step: 5, steps: 20 },
  });
  await prompt.finish({ images: 1 });
  const told = await untilDone(reader, id);
  expect(told).toEqual(await parseBody(t.get(`/api/bridge/jobs/${id}`, { headers: mine })));
  const forgotten = await t.get(`/api/bridge/jobs/${id}`, { method: 'DELETE', headers: mine });
  expect(forgotten.status).toBe(204);
  expect(await until(reader, 'gone', () => true)).toEqual({ id });
  expect(jobsOf(reader.events)).toEqual(new Set([id]));
});

test("another's jobs are never told, whatever is asked for", async () => {
  await using t = await startKeyed();
  const [one, other] = [await createKey(t), await createKey(t)];
  using reader = await follow(t, '?previews=1&all=0&owner=all', bearer(one.key));
  using operator = await follow(t, '?all=1', bearer(operatorToken));
  const theirs = await run(t, bearer(other.key));
  await untilDone(operator, theirs);
  const own = await run(t, bearer(one.key));
  await untilDone(reader, own);
  await untilDone(operator, own);
  expect(jobsOf(reader.events)).toEqual(new Set([own]));
  expect(jobsOf(operator.events)).toEqual(new Set([theirs, own]));
  expect(reader.events.some(({ event }) => event.startsWith('backend'))).toBe(false);
});

test("everybody's jobs and the fleet are told to operators alone", async () => {
  await using t = await startKeyed();
  const key = await createKey(t, { role: 'author' });
  const refused = await t.get('/api/bridge/events?all=1', { headers: bearer(key.key) });
  expect(refused.status).toBe(403);
  await refused.arrayBuffer();
  // An operator that did not ask for all is told of its own.
  using own = await follow(t, '', bearer(operatorToken));
  using all = await follow(t, '?all=1', bearer(operatorToken));
  const id = await run(t, bearer(key.key));
  await untilDone(all, id);
  await t.post(
    '/api/bridge/backends',
    { url: 'http://127.0.0.1:9', name: 'spare' },
    {
      headers: bearer(operatorToken),
    },
  );
  expect(await until(all, 'backend', ({ name }) => name === 'spare')).toMatchObject({
    address: '127.0.0.1:9',
  });
  await t.get('/api/bridge/backends/spare', { method: 'DELETE', headers: bearer(operatorToken) });
  expect(await until(all, 'backend_gone', () => true)).toEqual({ name: 'spare' });
  expect(own.events.map(({ event }) => event)).toEqual(['hello']);
  jobsOf(all.events);
});

test('pictures are told to the owner who wants them, and to nobody else', async () => {
  await using t = await startBridge();
  const [mine, theirs] = [bearer('a-secret-of-my-own'), bearer('a-secret-of-theirs')];
  using reader = await follow(t, '?previews=1', mine);
  using without = await follow(t, '', mine);
  using other = await follow(t, '?previews=1', theirs);
  using operator = await follow(t, '?all=1&previews=1');
  const id = await run(t, mine);
  const prompt = await t.sim.nextPrompt();
  prompt.progress(1, 20, '3');
  prompt.preview(jpeg);
  expect(await until(reader, 'preview', () => true)).toEqual({
    id,
    content_type: 'image/jpeg',
    data: jpeg.toString('base64'),
    node: expect.anything(),
  });
  await prompt.finish({ images: 1 });
  for (const one of [reader, without, operator]) await untilDone(one, id);
  for (const one of [without, other, operator])
    expect(one.events.filter(({ event }) => event === 'preview')).toEqual([]);
  expect(jobsOf(other.events)).toEqual(new Set());
});

test('what waits is told its place, and only when that changes', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  const mine = bearer('a-secret-of-my-own');
  using reader = await follow(t, '', mine);
  await run(t, mine);
  const prompt = await t.sim.nextPrompt();
  const [second, third] = [await run(t, mine), await run(t, mine)];
  expect(await until(reader, 'queue', ({ id }) => id === third)).toMatchObject({ queue_position: 1 });
  await prompt.finish({ images: 1 });
  await t.sim.nextPrompt();
  expect(await until(reader, 'queue', ({ id }) => id === third)).toMatchObject({ queue_position: 0 });
  const places = reader.events.flatMap(({ event, data }) =>
    event === 'queue' ? [queueEventSchema.parse(data)] : [],
  );
  expect(places.filter(({ id }) => id === second).map((place) => place.queue_position)).toEqual([0]);
});

test("without keys one needs a secret of one's own; with them a ticket will do, once", async () => {
  await using open = await startBridge();
  const nobody = await open.get('/api/bridge/events');
  expect(nobody.status).toBe(401);
  expect(await nobody.text()).toContain('send a secret of your own');
  await using t = await startKeyed();
  const key = await createKey(t);
  const made = await t.post('/api/bridge/tickets', undefined, { headers: bearer(key.key) });
  const { ticket } = await parseBody<{ ticket: string }>(made);
  using reader = await follow(t, `?ticket=${ticket}`);
  await untilDone(reader, await run(t, bearer(key.key)));
  const again = await t.get(`/api/bridge/events?ticket=${ticket}`);
  expect(again.status).toBe(401);
  await again.arrayBuffer();
});

test('the stream ends with its key, and with the role that it was opened for', async () => {
  await using t = await startKeyed();
  const [client, operator] = [await createKey(t), await createKey(t, { role: 'operator' })];
  using own = await follow(t, '', bearer(client.key));
  using all = await follow(t, '?all=1', bearer(operator.key));
  using ofOperator = await follow(t, '', bearer(operator.key));
  await revokeKey(t, client.id);
  await own.ended;
  expect(own.events.at(-1)).toMatchObject({ event: 'error', data: { error: { code: 'unauthorized' } } });
  const changed = await t.get(`/api/bridge/keys/${operator.id}`, {
    method: 'PATCH',
    headers: bearer(operatorToken),
    body: JSON.stringify({ role: 'client' }),
  });
  expect(changed.status).toBe(200);
  await all.ended;
  // Its own jobs are still its own.
  await untilDone(ofOperator, await run(t, bearer(operator.key)));
});

test('it counts among the streams of its account', async () => {
  await using t = await startKeyed({ env: { LIMIT_STREAMS: '1' } });
  const key = await createKey(t);
  using _reader = await follow(t, '', bearer(key.key));
  const second = await t.get('/api/bridge/events', { headers: bearer(key.key) });
  expect(second.status).toBe(429);
  expect(await second.text()).toContain('too_many_streams');
});

test('a stopping bridge ends it', async () => {
  await using t = await startBridge();
  using reader = await follow(t, '?all=1');
  await t.bridge.close();
  await reader.ended;
});

test('an odd choice is refused', async () => {
  await using t = await startBridge();
  const answer = await t.get('/api/bridge/events?all=yes');
  expect(answer.status).toBe(400);
  await answer.arrayBuffer();
});
