import { expect, test } from 'vitest';

import { png } from './_assets.ts';
import { toForm, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const mine = { 'X-API-Key': 'a-text-that-nobody-can-guess' };
const others = { authorization: 'Bearer another-text-that-nobody-can-guess' };

async function uploadAs(t: TestBridge, headers: Record<string, string>): Promise<string> {
  const form = toForm([{ bytes: png, fileName: 'cat.png', type: '' }]);
  const answer = await t.post('/upload', undefined, { body: form, headers });
  expect(answer.status).toBe(200);
  const saved: Record<string, string> = JSON.parse(await answer.text());
  return saved['file'] ?? '';
}

async function statusOf(t: TestBridge, saved: string, headers: Record<string, string>): Promise<number> {
  const clientId = crypto.randomUUID();
  const body = { workflow: 'image-to-image', '10/image': saved };
  return (await t.post(`/generate-based-workflow?clientId=${clientId}`, body, { headers })).status;
}

test('without keys, an upload that came with a secret can be named with that secret alone', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const saved = await uploadAs(t, mine);
  expect(await statusOf(t, saved, others)).toBe(400);
  expect(await statusOf(t, saved, {})).toBe(400);
  expect(await statusOf(t, saved, mine)).toBe(200);
  expect(await statusOf(t, saved, { authorization: `Bearer ${mine['X-API-Key']}` })).toBe(200);
});

test('one that came without a secret can be named by whoever knows its name, as with the original', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const saved = await uploadOne(t, png);
  for (const headers of [{}, mine]) expect(await statusOf(t, saved, headers)).toBe(200);
});

test('two callers behind one address have lists and assets of their own', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const made = await t.post('/api/bridge/workflows/upscale/jobs', { inputs: {} }, { headers: mine });
  expect(made.status).toBe(201);
  const list = async (headers: Record<string, string>) =>
    (await (await t.get('/api/bridge/jobs?owner=me', { headers })).text()).match(/"id"/g)?.length ?? 0;
  expect([await list(mine), await list(others)]).toEqual([1, 0]);

  const form = new FormData();
  form.append('file_path', 'cat.png');
  form.append('content_type', 'image/png');
  form.append('file', new Blob([Uint8Array.from(png)]), 'cat.png');
  const asset = await t.post('/api/v2/assets', undefined, { body: form, headers: mine });
  const id = /"id":"([^"]+)"/.exec(await asset.text())?.[1];
  const statuses = [mine, others, {}].map(
    async (headers) => (await t.get(`/api/v2/assets/${id}`, { headers })).status,
  );
  expect(await Promise.all(statuses)).toEqual([200, 404, 404]);
});
