import { expect, test } from 'vitest';

import { detailOf, submit, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('under a base path everything is there, the WebSocket as well, and nothing beside it', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/bridge' } });
  expect(new URL(t.url).pathname).toBe('/bridge');
  expect((await t.get('/workflow-list')).status).toBe(200);
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  expect((await t.get('/history?clientId=one')).status).toBe(200);
  const { origin } = new URL(t.url);
  expect((await fetch(`${origin}/workflow-list`, { headers: { connection: 'close' } })).status).toBe(404);
  expect((await upgrade(`${origin}/ws?clientId=one`)).status).toBe(404);
});

test('the clients get their own kind of error, even when base path or query look like another API', async () => {
  await using t = await startBridge({ sims: 0, env: { BASE_PATH: '/api/comfy' } });
  for (const path of ['/workflow-info', '/workflow-info?workflow=/api/x', '/history?resType=/api/']) {
    expect(await detailOf(await t.get(path))).not.toBe('');
  }
  const other = await t.get('/api/nowhere');
  expect(await other.json()).toMatchObject({ error: { code: 'not_found' } });
});
