import { settingsSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { bearer, createKey, operatorToken, startKeyed } from './_keys.ts';
import { startBridge } from './_start-bridge.ts';

test('operators are told every setting, and no secret', async () => {
  await using t = await startKeyed({ env: { LIMIT_STREAMS: '3' } });
  const answer = await t.get('/api/bridge/settings', { headers: bearer(operatorToken) });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  expect(text).not.toContain(operatorToken);
  const { settings } = settingsSchema.parse(JSON.parse(text));
  const of = (name: string) => settings.find((setting) => setting.name === name);
  expect(of('LIMIT_STREAMS')).toMatchObject({ value: '3', group: 'limits', source: 'environment' });
  expect(of('OPERATOR_TOKEN')).toMatchObject({ value: '***', secret: true });
  const key = await createKey(t, { role: 'author' });
  const refused = await t.get('/api/bridge/settings', { headers: bearer(key.key) });
  expect(refused.status).toBe(403);
  await refused.arrayBuffer();
});

test('without keys they are told to this machine alone', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const [headers, status] of [
    [{}, 200],
    [{ 'x-forwarded-for': '192.0.2.1' }, 403],
  ] as const) {
    const answer = await t.get('/api/bridge/settings', { headers });
    expect(answer.status).toBe(status);
    await answer.arrayBuffer();
  }
});
