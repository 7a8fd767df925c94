import { describe, expect, test } from 'vitest';

import { hasRole } from '../src/access/role.ts';
import { withRules } from '../src/http/access-rules.ts';
import type { RuledRoute } from '../src/http/access-rules.ts';
import { bearer, createClock, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { make, nothings } from './_owned-things.ts';
import type { Thing } from './_owned-things.ts';
import type { TestBridge } from './_start-bridge.ts';

/** What each parameter of a path names. A route with a parameter that is not here fails the test. */
function thingsOf({ method, path }: RuledRoute): readonly (Thing | 'unowned')[] {
  // The protocol describes itself, whatever the URL.
  if (method === 'options') return ['unowned'];
  if (/^\/api\/(v2|bridge)\/jobs\/:id/.test(path)) return ['job'];
  if (path.startsWith('/api/bridge/groups/:id')) return ['group'];
  if (path.startsWith('/api/bridge/uploads/:id')) return ['upload'];
  if (path.startsWith('/api/v2/assets/by-hash/:hash')) return ['hash'];
  if (path.startsWith('/api/v2/assets/:id')) return ['asset', 'output'];
  if (['/interrupt', '/execution-info', '/history', '/free'].includes(path)) return ['client'];
  if (/^\/api\/bridge\/(workflows\/:alias|backends\/:name|keys\/:id)/.test(path)) return ['unowned'];
  if (path === '/docs/:file' || path === '/console/:file') return ['unowned'];
  // Whoever has a link has it.
  if (path.startsWith('/api/bridge/links/:token')) return ['unowned'];
  if (path.includes(':')) throw new Error(`nobody has said whose ${method} ${path} is`);
  return ['unowned'];
}

/** With keys, whoever asks for a protocol's own answer is asked for a key as well. */
const headersOf = ({ path }: RuledRoute) =>
  path.startsWith('/api/bridge/uploads') ? { 'tus-resumable': '1.0.0' } : {};

function toUrl({ path }: RuledRoute, thing: Thing | 'unowned', id: string): string {
  if (thing === 'client') return `${path}?clientId=${id}`;
  return path
    .replace(/:(id|hash|alias|name|file|token)/, encodeURIComponent(id))
    .replace(':index', '0')
    .replace(':version', '0');
}

const isEndless = ({ path }: RuledRoute) => path === '/api/bridge/events';

interface Caller {
  name: string;
  secret: string | undefined;
  role: 'client' | 'author' | 'operator' | undefined;
}

interface Told {
  status: number;
  body: string;
  headers: string[];
}

async function ask(
  t: TestBridge,
  route: RuledRoute,
  thing: Thing | 'unowned',
  id: string,
  caller: Caller,
): Promise<Told> {
  const left = new AbortController();
  const answer = await t.get(toUrl(route, thing, id), {
    signal: left.signal,
    method: route.method.toUpperCase(),
    headers: { ...headersOf(route), ...(caller.secret !== undefined && bearer(caller.secret)) },
    redirect: 'manual',
  });
  // One stream goes on for as long as it is read.
  const body = isEndless(route) && answer.ok ? '' : await answer.text();
  left.abort();
  return {
    status: answer.status,
    body: body.replaceAll(id, '<id>'),
    headers: [...answer.headers.keys()].filter((name) => name !== 'date').toSorted(),
  };
}

async function startMatrix() {
  const clock = createClock();
  const t = await startKeyed({
    // Strangers are refused hundreds of times here.
    env: { LIMIT_KEY_ATTEMPTS: '1000000' },
    overrides: { now: clock.now },
  });
  const [client, other, author, operator] = await Promise.all(
    (['client', 'client', 'author', 'operator'] as const).map((role) => createKey(t, { role })),
  );
  const expired = await createKey(t, { role: 'operator', expires_in: 1 });
  const revoked = await createKey(t, { role: 'operator' });
  await revokeKey(t, revoked.id);
  clock.advance(2_000);
  if (client === undefined || other === undefined || author === undefined || operator === undefined)
    throw new Error('keys are missing');
  const strangers: Caller[] = [
    { name: 'none', secret: undefined, role: undefined },
    { name: 'wrong', secret: `${client.key.slice(0, 17)}${'A'.repeat(43)}00000000`, role: undefined },
    { name: 'unknown', secret: 'a-secret-of-its-own', role: undefined },
    { name: 'expired', secret: expired.key, role: undefined },
    { name: 'revoked', secret: revoked.key, role: undefined },
  ];
  const callers: Caller[] = [
    { name: 'client', secret: client.key, role: 'client' },
    { name: 'author', secret: author.key, role: 'author' },
    { name: 'operator', secret: operator.key, role: 'operator' },
    { name: 'token', secret: operatorToken, role: 'operator' },
  ];
  return { t, strangers, callers, other: other.key };
}

describe('every route, for every role and whosever thing it names', () => {
  test('strangers are told the same everywhere, whatever there is', { timeout: 180_000 }, async () => {
    const { t, strangers, other } = await startMatrix();
    await using _ = t;
    const owned = new Map<Thing, string>();
    for (const thing of Object.keys(nothings) as Thing[]) owned.set(thing, await make(t, thing, other));
    for (const route of withRules(t.bridge.routes)) {
      for (const thing of thingsOf(route)) {
        for (const stranger of strangers) {
          const where = `${route.method} ${route.path} ${thing} by ${stranger.name}`;
          const ids = thing === 'unowned' ? ['nobody'] : [owned.get(thing) ?? '', nothings[thing]];
          const told = await Promise.all(ids.map((id) => ask(t, route, thing, id, stranger)));
          if (route.rule === 'public') {
            for (const { status } of told) expect([200, 404, 503], where).toContain(status);
            continue;
          }
          for (const { status, headers } of told) {
            expect(status, where).toBe(401);
            expect(headers, where).toContain('www-authenticate');
          }
          expect(new Set(told.map((one) => JSON.stringify(one))).size, where).toBe(1);
        }
      }
    }
    for (const path of ['/nope', '/api/v2/nope', '/api/bridge', '/%', '/api/v2/jobs/%'])
      for (const method of ['GET', 'POST', 'OPTIONS'])
        expect((await t.get(path, { method })).status, `${method} ${path}`).toBe(401);
    expect(t.errors).toEqual([]);
  });

  test(
    "a role that is too low is refused, another's thing is as if it were not there",
    { timeout: 180_000 },
    async () => {
      const { t, callers, other } = await startMatrix();
      await using _ = t;
      for (const route of withRules(t.bridge.routes)) {
        for (const thing of thingsOf(route)) {
          for (const caller of callers) await check(t, route, thing, caller, other);
        }
      }
      for (const { secret = '' } of callers)
        expect((await t.get('/nope', { headers: bearer(secret) })).status).toBe(404);
      expect(t.errors).toEqual([]);
    },
  );
});

async function check(
  t: TestBridge,
  route: RuledRoute,
  thing: Thing | 'unowned',
  caller: Caller,
  other: string,
) {
  const { secret, role } = caller;
  if (secret === undefined || role === undefined) return;
  const where = `${route.method} ${route.path} ${thing} by ${caller.name}`;
  const none = await ask(t, route, thing, thing === 'unowned' ? 'nobody' : nothings[thing], caller);
  if (!hasRole(role, route.rule)) {
    expect(none.status, where).toBe(403);
    if (thing === 'unowned') return;
    expect(await ask(t, route, thing, await make(t, thing, other), caller), where).toEqual(none);
    return;
  }
  expect([401, 403], where).not.toContain(none.status);
  if (thing === 'unowned') return;
  const theirs = await ask(t, route, thing, await make(t, thing, other), caller);
  const own = await ask(t, route, thing, await make(t, thing, secret), caller);
  expect([401, 403], where).not.toContain(own.status);
  expect(own, `${where}, its own`).not.toEqual(none);
  // By its clientId an operator finds only what is its own, or was made without keys; and bytes are an account's alone.
  if (role !== 'operator' || thing === 'client' || thing === 'hash') expect(theirs, where).toEqual(none);
  else expect({ ...theirs, body: '' }, `${where}, another's`).toEqual({ ...own, body: '' });
}

test('a route without a rule, and a rule without a route, stop the start', () => {
  expect(() => withRules([{ method: 'get', path: '/healthz' }])).toThrow(
    /rules without a route: get \/readyz/,
  );
  expect(() => withRules([{ method: 'get', path: '/new' }])).toThrow(/routes without a rule: get \/new/);
});
