import { expect, test } from 'vitest';

import { bearer, createKey, startKeyed } from './_keys.ts';
import { exchange } from './_raw-http.ts';
import { handshake, speak } from './_raw-websocket.ts';
import { ended, parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

/** All that comes back but the date, as it comes. */
async function ask(t: TestBridge, method: string, path: string, headers = ''): Promise<string> {
  const request = `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
  const { replies } = await exchange(t.url, [Buffer.from(request)]);
  const [reply] = replies;
  if (reply === undefined) throw new Error(`no answer to ${method} ${path}`);
  // The time, and a random name of the request: neither tells of anything that is here.
  const told = [...reply.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id');
  expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  return JSON.stringify([reply.status, told, reply.body]);
}

/** A bridge with something of everything, and the names of what is there beside those of what is not. */
async function startFull() {
  const t = await startKeyed();
  const key = await createKey(t);
  const asClient = { headers: bearer(key.key) };
  const body = { workflow: 'text-to-image' };
  const finished = t.nextEvent('job:finished');
  const job = await parseBody<{ id: string }>(
    t.post('/api/bridge/workflows/text-to-image/jobs', {}, asClient),
  );
  await finished;
  expect((await t.post('/generate-based-workflow?clientId=one', body, asClient)).status).toBe(200);
  return { t, key, job };
}

test('whatever is there or not, a stranger gets the same bytes', async () => {
  const { t, key, job } = await startFull();
  await using _t = t;
  const nobody = job.id.replaceAll(/[0-9a-f]/g, '0');
  const pairs = [
    ['/api/bridge/jobs/', job.id, nobody],
    ['/api/v2/jobs/', job.id, nobody],
    ['/api/bridge/keys/', key.id, 'AAAAAAAA'],
    ['/api/bridge/workflows/', 'text-to-image', 'nothing'],
    ['/api/bridge/backends/', 'backend-1', 'nothing'],
    ['/history?clientId=', 'one', 'two'],
    ['/execution-info?clientId=', 'one', 'two'],
    ['/workflow-info?workflow=', 'text-to-image', 'nothing'],
    ['/docs/', 'page.js', 'nothing'],
    ['/', 'workflow-list', 'nothing'],
  ] as const;
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE']) {
    for (const [path, there, missing] of pairs)
      expect(await ask(t, method, path + there), `${method} ${path}`).toBe(
        await ask(t, method, path + missing),
      );
  }
  expect(await ended(t, `key:${key.id}:one`)).toMatchObject({ state: { status: 'succeeded' } });
});

test('nothing says what runs here: no version, no name, no number of anything', async () => {
  const { t } = await startFull();
  await using _t = t;
  for (const { method, path } of [...t.bridge.routes, { method: 'get', path: '/nothing' }]) {
    // The page is the same for every bridge, and is public as its repository is.
    if (path === '/' || path === '/console/:file') continue;
    const answer = await ask(t, method.replace('_all', 'post').toUpperCase(), path);
    const isOpen = path === '/healthz' || path === '/readyz';
    const [status, headers, body]: [number, [string, string][], string] = JSON.parse(answer);
    // Who has a link has no key; a wrong one leads nowhere.
    const isLink = path.startsWith('/api/bridge/links/');
    expect(status, `${method} ${path}`).toBe(isOpen ? 200 : isLink ? 404 : 401);
    for (const [name] of headers)
      expect(['server', 'x-powered-by', 'via', 'etag', 'allow', 'x-job-id']).not.toContain(name);
    expect(body).not.toMatch(/version|express|node|comfy-bridge|\d{3,}/i);
    if (isOpen) continue;
    const names = headers
      .map(([name]) => name)
      .filter((name) => name !== 'connection' && name !== 'keep-alive');
    expect(names.toSorted()).toEqual([
      ...['cache-control', 'content-length', 'content-security-policy', 'content-type'],
      ...['cross-origin-opener-policy', 'cross-origin-resource-policy', 'referrer-policy', 'vary'],
      ...(isLink ? [] : ['www-authenticate']),
      'x-content-type-options',
    ]);
  }
});

test('a wrong secret is told the same whether its key is there or not', async () => {
  const { t, key } = await startFull();
  await using _t = t;
  const like = (id: string, secret: string) => key.key.replace(key.id, id).replace(/_[^_]+$/, `_${secret}`);
  const other = await createKey(t);
  // Whole keys by their checksums: one of a key that is there, with another's secret.
  const swapped = like(key.id, other.key.split('_').slice(2).join('_'));
  const unknown = like('AAAAAAAA', other.key.split('_').slice(2).join('_'));
  const asked = (secret: string) => ask(t, 'GET', '/workflow-list', `X-API-Key: ${secret}\r\n`);
  expect(await asked(swapped)).toBe(await asked(unknown));
});

test('a WebSocket is refused the same everywhere', async () => {
  const { t } = await startFull();
  await using _t = t;
  const heads = [];
  for (const path of ['/ws?clientId=one', '/ws?clientId=two', '/ws', '/nothing'])
    heads.push((await speak(t.url, handshake(path), [])).head);
  expect(new Set(heads).size).toBe(1);
  expect(heads[0]).toMatch(/^HTTP\/1\.1 401 /);
});

test('how long a refusal takes does not tell whether there is such a job', { retry: 3 }, async () => {
  const { t, job } = await startFull();
  await using _t = t;
  const nobody = job.id.replaceAll(/[0-9a-f]/g, '0');
  const times = { there: [] as number[], missing: [] as number[] };
  for (let round = 0; round < 300; round++) {
    for (const [kind, id] of round % 2 === 0
      ? ([
          ['there', job.id],
          ['missing', nobody],
        ] as const)
      : ([
          ['missing', nobody],
          ['there', job.id],
        ] as const)) {
      const began = performance.now();
      await ask(t, 'GET', `/api/bridge/jobs/${id}`);
      times[kind].push(performance.now() - began);
    }
  }
  const median = (all: number[]) => all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0;
  // A look into the store would take longer than this.
  expect(Math.abs(median(times.there) - median(times.missing))).toBeLessThan(0.3);
});
