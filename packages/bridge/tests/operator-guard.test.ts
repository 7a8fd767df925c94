import { expect, test } from 'vitest';

import { expectNoSecrets, parseBody } from './_requests.ts';
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

test('without a token this machine may look at the fleet; no address of a ComfyUI is told', async () => {
  await using t = await startBridge();
  const answer = await backends(t);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(JSON.parse(text)).toEqual([
    expect.objectContaining({ name: 'backend-1', status: 'ready', jobs: [] }),
  ]);
  expect(text).not.toContain(String(t.sim.port));
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
