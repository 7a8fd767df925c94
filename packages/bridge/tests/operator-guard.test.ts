import { expect, test } from 'vitest';

import { expectNoSecrets, parseBody, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const token = 'a-token-of-an-operator';

function backends(t: TestBridge, headers: Record<string, string> = {}): Promise<Response> {
  return t.get('/api/bridge/backends', { headers });
}

/** The endpoints of operators answer in the words of the newer API. */
async function reasonOf(answer: Response): Promise<string> {
  const { error } = await parseBody<{ error: { message: string } }>(answer);
  expectNoSecrets(error.message);
  return error.message;
}

test('without a token this machine may look at the fleet', async () => {
  await using t = await startBridge();
  const answer = await backends(t);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual([
    expect.objectContaining({ name: 'backend-1', status: 'ready', jobs: [], address: t.sim.address }),
  ]);
});

test.each(['x-forwarded-for', 'forwarded', 'x-real-ip'])(
  'without a token a request that came through a proxy (%s) is 403, whatever it claims',
  async (header) => {
    await using t = await startBridge({ sims: 0 });
    const answer = await backends(t, { [header]: '127.0.0.1' });
    expect(answer.status).toBe(403);
    expect(await reasonOf(answer)).toMatch(/OPERATOR_TOKEN/);
  },
);

test.each([
  ['a page of another site', { origin: 'https://evil.example' }],
  ['a page of another program on this machine', { origin: 'http://localhost:5173' }],
  ['a page without an origin', { origin: 'null' }],
  ['a page whose name leads here', { origin: 'http://evil.example:8000', host: 'evil.example:8000' }],
  ['a call by another name', { host: 'evil.example' }],
])('without a token %s is no operator, though its browser is on this machine', async (_who, headers) => {
  await using t = await startBridge({ sims: 0 });
  const { status } = await upgrade(`${t.wsUrl}/api/bridge/backends`, { connection: 'close', ...headers });
  expect(status).toBe(403);
});

test.each([{}, { origin: 'own' }])(
  'without a token a page of the bridge itself is one: %j',
  async (headers) => {
    await using t = await startBridge({ sims: 0 });
    const { origin } = new URL(t.url);
    const own = 'origin' in headers ? { origin } : {};
    const { status } = await upgrade(`${t.wsUrl}/api/bridge/backends`, { connection: 'close', ...own });
    expect(status).toBe(200);
  },
);

test('with a token: only who sends it, this machine or not', async () => {
  await using t = await startBridge({ sims: 0, env: { OPERATOR_TOKEN: token } });
  for (const authorization of ['', token, `Bearer ${token}x`, 'Bearer ', `Basic ${token}`]) {
    const answer = await backends(t, authorization === '' ? {} : { authorization });
    expect(answer.status, authorization).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await reasonOf(answer)).toMatch(/token/);
  }
  expect((await backends(t, { authorization: `Bearer ${token}` })).status).toBe(200);
  expect(
    (await backends(t, { authorization: `bearer ${token}`, 'x-forwarded-for': '10.1.2.3' })).status,
  ).toBe(200);
});

test('with a token /free is for operators; without one it is for everybody', async () => {
  await using guarded = await startBridge({ env: { OPERATOR_TOKEN: token } });
  expect((await guarded.post('/free')).status).toBe(401);
  expect(guarded.sim.counters['POST /free']).toBeUndefined();
  expect(
    (await guarded.post('/free', undefined, { headers: { authorization: `Bearer ${token}` } })).status,
  ).toBe(200);
  await using open = await startBridge();
  expect((await open.post('/free', undefined, { headers: { 'x-forwarded-for': '10.1.2.3' } })).status).toBe(
    200,
  );
});

test('with a token the clients go on without one', async () => {
  await using t = await startBridge({ env: { OPERATOR_TOKEN: token } });
  expect((await t.get('/workflow-list')).status).toBe(200);
  expect((await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' })).status).toBe(
    200,
  );
});
