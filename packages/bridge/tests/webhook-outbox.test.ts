import { expect, test } from 'vitest';

import { createLogger } from '../src/logging.ts';
import { createAddressExceptions } from '../src/lib/check-address.ts';
import { createWebhookDelivery } from '../src/webhooks/deliver-webhook.ts';
import type { DeliverWebhook, Delivery, DeliveryOutcome } from '../src/webhooks/deliver-webhook.ts';
import type { WebhookRecords } from '../src/webhooks/kept-webhooks.ts';
import { createWebhookOutbox } from '../src/webhooks/webhook-outbox.ts';
import type { WebhookMessage, WebhookOutboxDeps } from '../src/webhooks/webhook-outbox.ts';
import type { Webhook } from '../src/webhooks/webhook-target.ts';
import { createVirtualTime, rest } from './_virtual-time.ts';
import { startEndpoint, testSecret, verifyWebhook } from './_webhook-endpoint.ts';

const context = { origin: 'https://bridge.example' };
const hour = 3_600_000;

function webhookTo(url: string, fields: Partial<Webhook> = {}): Webhook {
  return { url, secret: testSecret, events: ['job.succeeded', 'job.failed', 'job.canceled'], ...fields };
}

const hook = webhookTo('https://a.example/hook');

function messageOf(jobId: string, type: WebhookMessage['type'] = 'job.succeeded'): WebhookMessage {
  return { type, body: JSON.stringify({ type, data: { id: jobId } }) };
}

/** Records as a store keeps them, over any number of outboxes. */
function keptRecords() {
  const texts = new Map<string, string>();
  const fails = { write: false };
  const records: WebhookRecords = {
    read: async () => new Map(texts),
    async write(entries) {
      if (fails.write) throw new Error('the disk is full');
      for (const [key, text] of entries) texts.set(key, text);
    },
    async remove(keys) {
      if (fails.write) throw new Error('the disk is full');
      for (const key of keys) texts.delete(key);
    },
  };
  return { texts, fails, records };
}

/** An outbox in virtual time whose deliveries end as the test says; `random` in the middle: no jitter. */
function setUp(answer: (delivery: Delivery, nth: number) => DeliveryOutcome = () => ({ kind: 'delivered' })) {
  const time = createVirtualTime();
  const kept = keptRecords();
  const sent: (Delivery & { at: number })[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const deliver: DeliverWebhook = async (delivery) => {
    sent.push({ ...delivery, at: time.now() });
    return answer(delivery, sent.length);
  };
  const { now, startTimer } = time;
  const deps: WebhookOutboxDeps = { ...kept, deliver, log, now, startTimer, random: () => 0.5 };
  const open = (given: Partial<WebhookOutboxDeps> = {}, options = {}) =>
    createWebhookOutbox({ ...deps, ...given }, options);
  return { time, ...kept, sent, lines, open, deps };
}

/** Deliveries that are under way until the test ends them. */
function hangingDeliveries() {
  const underWay = new Map<string, { end: (outcome: DeliveryOutcome) => void; signal: AbortSignal }>();
  const started: string[] = [];
  const deliver: DeliverWebhook = ({ url, eventId }, signal) => {
    const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>();
    started.push(url);
    underWay.set(eventId, { end: resolve, signal });
    signal.addEventListener('abort', () =>
      resolve({ kind: 'failed', reason: 'aborted', retryAfterMs: undefined }),
    );
    return promise.finally(() => underWay.delete(eventId));
  };
  return { deliver, underWay, started };
}

const fail = (reason = 'answered 500', retryAfterMs?: number): DeliveryOutcome => ({
  kind: 'failed',
  reason,
  retryAfterMs,
});

test('the end of a job is sent at once, and nothing is left behind', async () => {
  const t = setUp();
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  expect(t.sent).toEqual([]);
  await outbox.jobEnded('1', (origin) => {
    expect(origin).toBe(context.origin);
    return messageOf('1');
  });
  await rest();
  expect(t.sent).toEqual([
    { url: hook.url, secret: testSecret, eventId: 'msg_1', body: messageOf('1').body, at: t.time.now() },
  ]);
  expect(t.texts.size).toBe(0);
  expect(t.time.timers()).toBe(0);
});

test('a job without a webhook costs nothing', async () => {
  const t = setUp();
  let made = 0;
  await t.open().jobEnded('1', () => {
    made += 1;
    return messageOf('1');
  });
  expect([made, t.sent.length]).toEqual([0, 0]);
});

test('an end that was not asked for is not sent', async () => {
  const t = setUp();
  const outbox = t.open();
  await outbox.register(['1', '2'], webhookTo(hook.url, { events: ['job.failed'] }), context);
  await outbox.jobEnded('1', () => messageOf('1', 'job.succeeded'));
  await outbox.jobEnded('2', () => messageOf('2', 'job.failed'));
  await rest();
  expect(t.sent.map(({ eventId }) => eventId)).toEqual(['msg_2']);
  expect(t.texts.size).toBe(0);
});

test('what is to be sent is kept before it is sent', async () => {
  const hanging = hangingDeliveries();
  const t = setUp();
  const outbox = t.open({ deliver: hanging.deliver });
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  expect(hanging.started).toHaveLength(1);
  expect(JSON.parse(t.texts.get('1')!).message.body).toBe(messageOf('1').body);
  hanging.underWay.get('msg_1')!.end({ kind: 'delivered' });
  await outbox.close();
});

test('it is tried ten times under one id with one text, then given up and told in the log', async () => {
  const t = setUp(() => fail());
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(100 * hour);
  const times = t.sent.map(({ at }) => at);
  expect(times.slice(1).map((at, index) => (at - times[index]!) / 1000)).toEqual([
    5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
  ]);
  expect(new Set(t.sent.map(({ eventId, body }) => `${eventId} ${body}`)).size).toBe(1);
  expect(t.lines.filter(({ level }) => level === 'warn')).toMatchObject([
    { msg: 'webhook given up', jobId: '1', host: 'a.example', failures: 10, reason: 'answered 500' },
  ]);
  expect(t.texts.size).toBe(0);
  expect(t.time.timers()).toBe(0);
  expect(JSON.stringify(t.lines)).not.toContain('/hook');
});

test('an endpoint that answers 500 and then 200 is told once more, and never again', async () => {
  const t = setUp((_delivery, nth) => (nth === 1 ? fail() : { kind: 'delivered' }));
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(4_999);
  expect(t.sent).toHaveLength(1);
  await t.time.advance(100 * hour);
  expect(t.sent).toHaveLength(2);
});

test('an endpoint that is gone is not asked again', async () => {
  const t = setUp(() => ({ kind: 'gone' }));
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(100 * hour);
  expect(t.sent).toHaveLength(1);
  expect(t.texts.size).toBe(0);
});

test('the time that an endpoint asks for is kept', async () => {
  const t = setUp((_delivery, nth) => (nth === 1 ? fail('answered 429', hour) : { kind: 'delivered' }));
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(hour - 1);
  expect(t.sent).toHaveLength(1);
  await t.time.advance(1);
  expect(t.sent).toHaveLength(2);
});

test('a delivery that breaks counts as failed', async () => {
  const t = setUp(() => {
    throw new Error('a bug');
  });
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(5_000);
  expect(t.sent).toHaveLength(2);
});

test('an end is told once, however often it is announced', async () => {
  const t = setUp(() => fail());
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  await Promise.all([1, 2, 3].map(() => outbox.jobEnded('1', () => messageOf('1'))));
  await rest();
  expect(t.sent).toHaveLength(1);
});

test('a webhook whose job was not made is forgotten', async () => {
  const t = setUp();
  const outbox = t.open();
  await outbox.register(['1', '2'], hook, context);
  await outbox.forget(['1', '2']);
  await outbox.jobEnded('1', () => messageOf('1'));
  expect([t.sent.length, t.texts.size]).toEqual([0, 0]);
});

test('no more are kept than the bound, all of a request or none', async () => {
  const t = setUp(() => fail());
  const outbox = t.open({}, { maxKept: 3 });
  await outbox.register(['1', '2'], hook, context);
  await expect(outbox.register(['3', '4'], hook, context)).rejects.toMatchObject({ code: 'limited' });
  expect([...t.texts.keys()]).toEqual(['1', '2']);
  await outbox.register(['3'], hook, context);
  await expect(outbox.register(['4'], hook, context)).rejects.toMatchObject({ code: 'limited' });
  await outbox.forget(['3']);
  await outbox.register(['4'], hook, context);
});

test('a webhook that cannot be kept is refused and takes no place', async () => {
  const t = setUp();
  const outbox = t.open({}, { maxKept: 1 });
  t.fails.write = true;
  await expect(outbox.register(['1'], hook, context)).rejects.toMatchObject({ code: 'unavailable' });
  t.fails.write = false;
  await outbox.register(['1'], hook, context);
});

test('while records cannot be written, ends are sent and tried again all the same', async () => {
  const t = setUp((_delivery, nth) => (nth === 1 ? fail() : { kind: 'delivered' }));
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  t.fails.write = true;
  await outbox.jobEnded('1', () => messageOf('1'));
  await t.time.advance(5_000);
  expect(t.sent).toHaveLength(2);
});

test('two go to one host at a time and twenty in all, the longest due first', async () => {
  const hanging = hangingDeliveries();
  const t = setUp();
  const outbox = t.open({ deliver: hanging.deliver });
  const urls = Array.from({ length: 12 }, (_, host) => `https://${host}.example/`);
  const jobs = urls.flatMap((url) => [1, 2, 3].map((nth) => ({ id: `${url}${nth}`, url: `${url}${nth}` })));
  for (const { id, url } of jobs) await outbox.register([id], webhookTo(url), context);
  for (const { id } of jobs) await outbox.jobEnded(id, () => messageOf(id));
  const firstTwo = jobs.filter(({ id }) => !id.endsWith('3'));
  expect(hanging.started).toEqual(firstTwo.slice(0, 20).map(({ url }) => url));

  hanging.underWay.get('msg_https://0.example/1')!.end({ kind: 'delivered' });
  await rest();
  expect(hanging.started.slice(20)).toEqual(['https://0.example/3']);
  for (let left = jobs.length; left > 0; left -= 1) {
    expect(hanging.underWay.size).toBeLessThanOrEqual(20);
    hanging.underWay.values().next().value?.end({ kind: 'delivered' });
    await rest();
  }
  expect(hanging.started.toSorted()).toEqual(jobs.map(({ url }) => url).toSorted());
  expect(t.texts.size).toBe(0);
});

test('however many wait, there is one timer', async () => {
  const t = setUp(() => fail());
  const outbox = t.open();
  const jobIds = Array.from({ length: 200 }, (_, index) => String(index));
  await outbox.register(jobIds, hook, context);
  for (const jobId of jobIds) await outbox.jobEnded(jobId, () => messageOf(jobId));
  await t.time.advance(1_000);
  expect(t.sent).toHaveLength(200);
  expect(t.time.timers()).toBe(1);
  await outbox.close();
  expect(t.time.timers()).toBe(0);
});

test('an endpoint that hangs does not hold up another', async () => {
  await using hanging = await startEndpoint(() => {});
  await using healthy = await startEndpoint();
  const deliver = createWebhookDelivery({
    defaultSecret: undefined,
    exceptions: createAddressExceptions(['127.0.0.1', 'localhost']),
    userAgent: 'test/1',
    now: Date.now,
  });
  const t = setUp();
  const outbox = t.open({ deliver });
  const slow = ['s1', 's2', 's3', 's4'];
  const quick = ['q1', 'q2', 'q3', 'q4'];
  await outbox.register(slow, webhookTo(hanging.url), context);
  await outbox.register(quick, webhookTo(`http://localhost:${healthy.port}/`), context);
  for (const id of [...slow, ...quick]) await outbox.jobEnded(id, () => messageOf(id));
  await healthy.waitFor(4);
  await hanging.waitFor(2);
  expect(healthy.received.map((request) => verifyWebhook(request))).toMatchObject(
    quick.map((id) => ({ data: { id } })),
  );
  expect(hanging.received).toHaveLength(2);
  const closing = outbox.close();
  await t.time.advance(1_000);
  await closing;
  expect([...t.texts.keys()]).toEqual(slow);
});

test('a stop lets a delivery end within a second', async () => {
  const hanging = hangingDeliveries();
  const t = setUp();
  const outbox = t.open({ deliver: hanging.deliver });
  await outbox.register(['1'], hook, context);
  await outbox.jobEnded('1', () => messageOf('1'));
  const closing = outbox.close();
  await t.time.advance(999);
  expect(hanging.underWay.get('msg_1')!.signal.aborted).toBe(false);
  hanging.underWay.get('msg_1')!.end({ kind: 'delivered' });
  await closing;
  expect([t.texts.size, t.time.timers()]).toEqual([0, 0]);
});

test('a stop cuts off what takes longer, and the next start tries it again as if it had not been tried', async () => {
  const hanging = hangingDeliveries();
  const t = setUp();
  const outbox = t.open({ deliver: hanging.deliver });
  await outbox.register(['1', '2', '3'], hook, context);
  for (const id of ['1', '2', '3']) await outbox.jobEnded(id, () => messageOf(id));
  const closing = outbox.close();
  await t.time.advance(1_000);
  await closing;
  expect(hanging.started).toHaveLength(2);

  const next = t.open();
  expect(await next.resume({ stateOf: async () => 'unknown' })).toEqual({
    due: 3,
    registered: 0,
    dropped: 0,
  });
  await rest();
  expect(t.sent.map(({ eventId, body }) => [eventId, body])).toEqual(
    ['1', '2', '3'].map((id) => [`msg_${id}`, messageOf(id).body]),
  );
});

test('after a restart the tries go on where they were, with the same id and text', async () => {
  const t = setUp(() => fail());
  const first = t.open();
  await first.register(['1'], hook, context);
  await first.jobEnded('1', () => messageOf('1'));
  await t.time.advance(5_000 + 10_000);
  await first.close();
  expect(t.sent).toHaveLength(2);

  const second = t.open();
  await second.resume({ stateOf: async () => 'unknown' });
  await t.time.advance(289_999);
  expect(t.sent).toHaveLength(2);
  await t.time.advance(1);
  expect(t.sent).toHaveLength(3);
  await t.time.advance(100 * hour);
  expect(t.sent).toHaveLength(10);
  expect(new Set(t.sent.map(({ eventId, body }) => `${eventId} ${body}`)).size).toBe(1);
});

test('after a restart, jobs that had ended are told, those that go on are waited for, the rest is dropped', async () => {
  const t = setUp();
  const first = t.open();
  await first.register(['ended', 'going', 'never-made'], hook, context);
  await first.register(['unwanted'], webhookTo(hook.url, { events: ['job.failed'] }), context);
  // No close: the process was killed.
  const second = t.open();
  const counts = await second.resume({
    async stateOf(jobId, origin) {
      expect(origin).toBe(context.origin);
      if (jobId === 'going') return 'unfinished';
      return jobId === 'never-made' ? 'unknown' : messageOf(jobId);
    },
  });
  expect(counts).toEqual({ due: 1, registered: 1, dropped: 2 });
  await rest();
  expect(t.sent.map(({ eventId }) => eventId)).toEqual(['msg_ended']);
  expect([...t.texts.keys()]).toEqual(['going']);
  await second.jobEnded('going', () => messageOf('going', 'job.failed'));
  await rest();
  expect(t.sent.at(-1)).toMatchObject({ eventId: 'msg_going', body: messageOf('going', 'job.failed').body });
});

test('a webhook that is registered before the start has looked is not taken for a leftover', async () => {
  const t = setUp();
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  expect(await outbox.resume({ stateOf: async () => 'unknown' })).toEqual({
    due: 0,
    registered: 0,
    dropped: 0,
  });
  await outbox.jobEnded('1', () => messageOf('1'));
  await rest();
  expect(t.sent).toHaveLength(1);
});

test('a job that ends while the start asks for it is told once', async () => {
  const t = setUp(() => fail());
  await t.open().register(['1', '2'], hook, context);
  const second = t.open();
  await second.resume({
    async stateOf(jobId) {
      await second.jobEnded(jobId, () => messageOf(jobId));
      return messageOf(jobId);
    },
  });
  await rest();
  expect(t.sent.map(({ eventId }) => eventId)).toEqual(['msg_1', 'msg_2']);
});

test('a damaged record is dropped and costs no other', async () => {
  const t = setUp();
  await t.open().register(['1', '2', '3', '4'], hook, context);
  t.texts.set('1', '{"url":');
  t.texts.set(
    '2',
    JSON.stringify({ url: 'file:///etc/passwd', secret: null, events: [], origin: '', message: null }),
  );
  t.texts.set('3', JSON.stringify({ ...JSON.parse(t.texts.get('3')!), secret: 'whsec_short' }));
  const counts = await t.open().resume({ stateOf: async (jobId) => messageOf(jobId) });
  await rest();
  expect(counts).toEqual({ due: 1, registered: 0, dropped: 0 });
  expect(t.sent.map(({ eventId }) => eventId)).toEqual(['msg_4']);
  expect(t.texts.size).toBe(0);
  expect(t.lines.filter(({ level }) => level === 'error')).toMatchObject([{ jobIds: ['1', '2', '3'] }]);
  expect(JSON.stringify(t.lines)).not.toContain('whsec_');
});

test('a try that a wrong clock had put off for years is made within two days', async () => {
  const t = setUp();
  const outbox = t.open();
  await outbox.register(['1'], hook, context);
  const message = { body: '{}', failures: 1, at: t.time.now() + 10 * 365 * 24 * hour };
  t.texts.set('1', JSON.stringify({ ...hook, ...context, message }));
  const next = t.open();
  await next.resume({ stateOf: async () => 'unknown' });
  await t.time.advance(48 * hour);
  expect(t.sent).toHaveLength(1);
});

test('a failure is told without where it was sent, beside the host', async () => {
  const t = setUp(() => fail());
  const outbox = t.open();
  await outbox.register(['1'], webhookTo('https://a.example/services/T000/B000/key'), context);
  await outbox.jobEnded('1', () => messageOf('1'));
  await rest();
  const [line] = t.lines;
  expect(line).toMatchObject({ host: 'a.example', failures: 1, retryInMs: 5_000 });
  expect(JSON.stringify(t.lines)).not.toMatch(/T000|whsec_/);
});
