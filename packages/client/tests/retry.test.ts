import { createServer } from 'node:http';

import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { startFaultProxy } from '../../../test/faults/_fault-proxy.ts';
import { ConnectionError } from '../src/node.ts';
import { clientOf, isSubmit, watchedFetch } from './_client.ts';
import type { SentRequest } from './_client.ts';

test('a submit whose answer is lost is repeated with the same key, and makes one job', async () => {
  await using t = await startBridge();
  let losses = 2;
  const { fetch, requests } = watchedFetch(async (request, send) => {
    const answer = await send();
    if (!isSubmit(request) || losses === 0) return answer;
    losses -= 1;
    await answer.body?.cancel();
    throw new TypeError('terminated');
  });
  const running = clientOf(t.url, { fetch }).run('text-to-image', { prompt: 'a pond' });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const { job } = await running;
  const submits = requests.filter(isSubmit);
  expect(submits).toHaveLength(3);
  expect(new Set(submits.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1);
  const jobs = await t.bridge.ledger.get(job.id as never);
  expect(jobs?.state.status).toBe('succeeded');
  expect(t.sim.counters['POST /prompt']).toBe(1);
});

test('a repeat that comes while the first is still under way waits for it', async () => {
  await using t = await startBridge();
  const bodies: string[] = [];
  let conflicts = 1;
  const { fetch } = watchedFetch(async (request, send) => {
    if (!isSubmit(request)) return send();
    bodies.push(request.headers.get('idempotency-key') ?? '');
    if (conflicts === 0) return send();
    conflicts -= 1;
    return Response.json({ error: { code: 'conflict', message: 'still under way' } }, { status: 409 });
  });
  await clientOf(t.url, { fetch }).submit('text-to-image', {});
  expect(bodies).toHaveLength(2);
  expect(new Set(bodies).size).toBe(1);
});

test('two runs are two jobs: each has a key of its own', async () => {
  await using t = await startBridge();
  const { fetch, requests } = watchedFetch();
  const bridge = clientOf(t.url, { fetch });
  const [first, second] = await Promise.all([1, 1].map((seed) => bridge.submit('text-to-image', { seed })));
  expect(first?.id).not.toBe(second?.id);
  expect(new Set(requests.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(2);
});

test.each([429, 502, 503, 504])('%i is asked again, after the time that the server says', async (status) => {
  const { fetch, requests } = watchedFetch(() =>
    requests.length < 3
      ? Response.json(
          { error: { code: 'draining', message: 'wait' } },
          { status, headers: { 'retry-after': '0' } },
        )
      : Response.json({ workflows: [] }),
  );
  expect(await clientOf('http://bridge.invalid', { fetch }).workflows()).toEqual([]);
  expect(requests).toHaveLength(3);
});

test.each(['3600', new Date(Date.now() + 3_600_000).toUTCString()])(
  'a server that wants to be asked after longer than the client waits (%s) is not waited for',
  async (retryAfter) => {
    const answer = () =>
      Response.json(
        { error: { code: 'queue_full', message: 'the queue is full' } },
        { status: 429, headers: { 'retry-after': retryAfter } },
      );
    const { fetch, requests } = watchedFetch(answer);
    const error = await clientOf('http://bridge.invalid', { fetch })
      .submit('text-to-image', {})
      .catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'queue_full', status: 429 });
    expect((error as { retryAfter: number }).retryAfter).toBeGreaterThan(3_500);
    expect(requests).toHaveLength(1);
  },
);

test.each([
  [400, 'bad_request'],
  [422, 'idempotency_key_reuse'],
  [500, 'internal'],
  [503, 'no_capable_backend'],
])('%i %s is told at once', async (status, code) => {
  const { fetch, requests } = watchedFetch(() =>
    Response.json({ error: { code, message: 'no' } }, { status }),
  );
  const submitted = clientOf('http://bridge.invalid', { fetch }).submit('text-to-image', {});
  await expect(submitted).rejects.toMatchObject({ code, status, message: 'no' });
  expect(requests).toHaveLength(1);
});

test('every POST that is repeated has a key, and nothing else than GET, HEAD and POST is', async () => {
  await using t = await startBridge();
  const seen = new Map<string, number>();
  const nameOf = ({ method, path }: SentRequest) => `${method} ${path}`;
  // Every first try of everything is lost before it arrives.
  const { fetch, requests } = watchedFetch((request, send) => {
    const times = (seen.get(nameOf(request)) ?? 0) + 1;
    seen.set(nameOf(request), times);
    if (times === 1) throw new TypeError('fetch failed');
    return send();
  });
  const bridge = clientOf(t.url, { fetch });
  const handle = await bridge.submit('text-to-image', {});
  await t.sim.nextPrompt();
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ code: 'canceled' });
  for (const request of requests) {
    expect(request.method).toMatch(/^(GET|POST)$/);
    if (request.method === 'POST') expect(request.headers.get('idempotency-key')).toMatch(/\S{20,}/);
  }
  const repeated = [...seen].filter(([name]) => !name.endsWith('/events'));
  expect(repeated.length).toBeGreaterThan(2);
  expect(repeated.filter(([, times]) => times < 2)).toEqual([]);
});

test('a bridge that cannot be reached is a ConnectionError that says where it was looked for', async () => {
  const error = await clientOf('http://127.0.0.1:9', { retryMs: 500 })
    .workflows()
    .catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ code: 'connection_failed', status: 0 });
  expect(String(error)).toContain('http://127.0.0.1:9');
});

test('a server that is no bridge is told apart from one', async () => {
  const server = createServer((_, response) => response.end('<html>hello</html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await expect(clientOf(`http://127.0.0.1:${port}`).workflows()).rejects.toMatchObject({
    code: 'not_a_bridge',
  });
  await new Promise((resolve) => server.close(resolve));
});

test('an output whose line breaks is fetched again, whole', async () => {
  await using t = await startBridge();
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  let breaks = 1;
  const { fetch } = watchedFetch(async ({ path }, send) => {
    const answer = await send();
    if (!path.includes('/results/') && !path.endsWith('/content')) return answer;
    if (breaks === 0) return answer;
    breaks -= 1;
    await answer.body?.cancel();
    return new Response('half');
  });
  const running = clientOf(`http://${proxy.address}`, { fetch }).run('text-to-image', {});
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const { outputs } = await running;
  expect(await outputs[0]?.bytes()).toHaveLength(outputs[0]?.size ?? -1);
  expect(breaks).toBe(0);
});
