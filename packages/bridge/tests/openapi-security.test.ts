import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { z } from 'zod';

import { bearer, operatorToken, startKeyed } from './_keys.ts';
import { listOperations, parseDocument } from './_openapi-document.ts';
import { parseBody, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const waysSchema = z.array(z.record(z.string(), z.array(z.string())));

interface Asked {
  method: string;
  path: string;
  /** Names of schemes, one a way in; none for what is open to everybody. */
  ways: string[];
}

/** What the document says that each operation asks for; `nobody` stands for a way in without anything. */
async function readAsked(t: TestBridge, headers = {}): Promise<Asked[]> {
  const document = parseDocument(await parseBody(t.get('/openapi.json', { headers })));
  return listOperations(document).map(({ method, path, operation }) => ({
    method,
    path: path.replaceAll(/\{\w+\}/g, 'none'),
    ways: waysSchema
      .parse(operation['security'] ?? document['security'])
      .map((way) => Object.keys(way)[0] ?? 'nobody'),
  }));
}

async function createTicket(t: TestBridge): Promise<string> {
  const answer = t.post('/api/bridge/tickets', undefined, { headers: bearer(operatorToken) });
  return (await parseBody<{ ticket: string }>(answer)).ticket;
}

async function call(t: TestBridge, { method, path }: Asked, way: string | undefined): Promise<number> {
  const query = way === 'ticketAuth' ? `?clientId=one&ticket=${await createTicket(t)}` : '?clientId=one';
  const headers: Record<string, string> = {
    ...(way === 'apiKeyAuth' && { 'x-api-key': operatorToken }),
    ...((way === 'bearerAuth' || way === 'operatorToken') && bearer(operatorToken)),
  };
  if (path === '/ws') return (await upgrade(`${t.wsUrl}/ws${query}`, headers)).status;
  const answer = await t.get(`${path}${query}`, { method: method.toUpperCase(), headers });
  // A stream of events has no end.
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') === true)
    await answer.body?.cancel();
  else await answer.arrayBuffer();
  return answer.status;
}

test('where keys are required, the document lists every way in, and no other way is one', async () => {
  await using t = await startKeyed();
  const asked = await readAsked(t, bearer(operatorToken));
  const open = asked.filter(({ ways }) => ways.length === 0).map(({ path }) => path);
  // Health, the page, which is the same for everybody, and links, whose token is what lets in.
  expect(open.toSorted()).toEqual([
    ...[
      '/',
      '/api/bridge/links/none',
      '/api/bridge/links/none/archive',
      '/api/bridge/links/none/results/none',
    ],
    ...['/console/none', '/healthz', '/readyz'],
  ]);
  for (const one of asked) {
    const name = `${one.method} ${one.path}`;
    expect(one.ways, name).not.toContain('nobody');
    expect((await call(t, one, undefined)) === 401, name).toBe(one.ways.length > 0);
    for (const way of one.ways) expect(await call(t, one, way), `${name} by ${way}`).not.toBe(401);
    // Beside what lists it, a ticket opens nothing.
    if (one.ways.length > 0 && !one.ways.includes('ticketAuth'))
      expect(await call(t, one, 'ticketAuth'), name).toBe(401);
  }
});

test('it is valid OpenAPI with keys too', async () => {
  await using t = await startKeyed();
  const document = await parseBody<object>(t.get('/openapi.json', { headers: bearer(operatorToken) }));
  expect(await new Validator().validate({ ...document })).toMatchObject({ valid: true });
});

test('where keys are off, every operation can be called without one, as the document says', async () => {
  await using t = await startBridge({ ready: false });
  for (const one of await readAsked(t)) {
    expect(one.ways, one.path).toContain('nobody');
    // One's own jobs are those of a secret, and who sends none has none of its own.
    const isOwn = one.path === '/api/bridge/events';
    expect((await call(t, one, undefined)) === 401, `${one.method} ${one.path}`).toBe(isOwn);
  }
});
