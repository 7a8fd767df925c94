import { expect, test } from 'vitest';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { version } from '../src/version.ts';

const me = '/api/bridge/me';

test('a key is told what it is, and what it may do', async () => {
  await using t = await startKeyed({ env: { LIMIT_UNFINISHED_JOBS: '7' } });
  const key = await createKey(t, {
    name: 'shop',
    expires_in: 3600,
    workflows: ['text-*'],
    limits: { unfinished_jobs: 3, upload_bytes: 1000 },
  });
  const told = await parseBody<object>(t.get(me, { headers: bearer(key.key) }));
  expect(told).toEqual({
    keys: true,
    role: 'client',
    name: 'shop',
    key_id: key.id,
    expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    workflows: ['text-*'],
    version,
    limits: { upload_max_bytes: 1000, upload_max_files: expect.any(Number), unfinished_jobs: 3 },
    owner_token: null,
    any_workflow: false,
  });
  const author = await createKey(t, { role: 'author' });
  expect(await parseBody(t.get(me, { headers: bearer(author.key) }))).toMatchObject({
    role: 'author',
    workflows: null,
    expires_at: null,
    limits: { unfinished_jobs: 7 },
    any_workflow: true,
  });
  expect(await parseBody(t.get(me, { headers: bearer(operatorToken) }))).toMatchObject({
    role: 'operator',
    name: null,
    key_id: null,
  });
});

test('where keys are required, no key and a wrong one are refused', async () => {
  await using t = await startKeyed();
  for (const headers of [{}, bearer('nonsense')]) {
    const answer = await t.get(me, { headers });
    expect(answer.status).toBe(401);
    await answer.arrayBuffer();
  }
});

test('without keys this machine is the operator, and others are clients', async () => {
  await using t = await startBridge({ sims: 0 });
  expect(await parseBody(t.get(me))).toMatchObject({
    keys: false,
    role: 'operator',
    name: null,
    workflows: null,
    any_workflow: true,
    limits: { unfinished_jobs: null },
  });
  expect(await parseBody(t.get(me, { headers: { 'x-forwarded-for': '192.0.2.1' } }))).toMatchObject({
    role: 'client',
    any_workflow: false,
  });
});

test('without keys, with an operator token, whoever shows it is the operator', async () => {
  const token = 'sixteen-characters';
  await using t = await startBridge({ sims: 0, env: { OPERATOR_TOKEN: token } });
  expect(await parseBody(t.get(me))).toMatchObject({ keys: false, role: 'client' });
  expect(await parseBody(t.get(me, { headers: bearer(token) }))).toMatchObject({ role: 'operator' });
});

test('without keys, who comes with nothing is handed a token, and what is done with it is its own', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const told = async (init?: RequestInit) => await parseBody<{ owner_token: string | null }>(t.get(me, init));
  const [mine, other] = [(await told()).owner_token, (await told()).owner_token];
  expect(mine).toMatch(/^[\w-]{32}$/);
  expect(other).not.toBe(mine);
  expect((await told({ headers: bearer(String(mine)) })).owner_token).toBeNull();
  const sent = await t.post('/api/bridge/workflows/upscale/jobs', {}, { headers: bearer(String(mine)) });
  expect(sent.status).toBe(201);
  const list = async (token: string | null) =>
    await parseBody<{ jobs: object[] }>(
      t.get('/api/bridge/jobs?owner=me', { headers: bearer(String(token)) }),
    );
  expect((await list(mine)).jobs).toHaveLength(1);
  expect((await list(other)).jobs).toHaveLength(0);
});
