import { createdLinkSchema, sharedResultsSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { bearer, createClock, createKey, operatorToken, revokeKey, startKeyed } from './_keys.ts';
import { readJob, send } from './_named.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';
import { readZip } from './_zip.ts';

/** A job of a key of its own that is done, with so many pictures. */
async function finished(t: TestBridge, headers: Record<string, string> = {}, images = 1) {
  const job = await readJob(send(t, { prompt: 'nobody else knows this' }, { headers }), 201);
  const done = t.nextEvent('job:finished', ({ job: { id } }) => id === job.id);
  await (await t.sim.nextPrompt()).finish({ images });
  await done;
  return job.id;
}

async function link(t: TestBridge, id: string, headers = {}, body: unknown = undefined) {
  const answer = await t.post(`/api/bridge/jobs/${id}/links`, body, { headers });
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  return createdLinkSchema.parse(JSON.parse(text));
}

async function statusAndBody(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  return [response.status, await response.text()];
}

const stepwise = { sim: { mode: 'step' } } as const;

test('whoever has a link reads the results, and learns nothing else', async () => {
  await using t = await startKeyed(stepwise);
  const key = await createKey(t);
  const id = await finished(t, bearer(key.key));
  const { token, url, page } = await link(t, id, bearer(key.key));
  expect([url, page]).toEqual([`${t.url}/api/bridge/links/${token}`, `${t.url}/#/shared/${token}`]);
  const answer = await fetch(url, { headers: { connection: 'close' } });
  const text = await answer.text();
  const shared = sharedResultsSchema.parse(JSON.parse(text));
  expect(shared).toMatchObject({ workflow: 'text-to-image', title: 'Text to image', status: 'succeeded' });
  for (const secret of [id, 'nobody else knows this', key.id, 'backend', 'client_id', 'attempts'])
    expect(text).not.toContain(secret);
  const [output] = shared.outputs;
  const picture = await t.get(output?.url ?? '');
  expect(picture.headers.get('content-type')).toBe('image/png');
  expect(picture.headers.get('content-disposition')).toMatch(/^inline; filename=/);
  const bytes = Buffer.from(await picture.arrayBuffer());
  expect(bytes).toHaveLength(output?.size_bytes ?? -1);
  const part = await t.get(output?.url ?? '', { headers: { range: 'bytes=1-3' } });
  expect([part.status, await part.text()]).toEqual([206, bytes.toString('latin1', 1, 4)]);
  const saved = await t.get(`${output?.url}?download=1`);
  await saved.arrayBuffer();
  expect(saved.headers.get('content-disposition')).toMatch(/^attachment; filename=/);
  // It is no key.
  for (const path of [`/api/bridge/jobs/${id}`, '/api/bridge/me'])
    expect((await statusAndBody(t.get(path, { headers: bearer(token) })))[0]).toBe(401);
});

test('a link that is wrong, forged, of another bridge, or over is not there: all the same', async () => {
  const clock = createClock();
  await using t = await startKeyed({ ...stepwise, overrides: { now: clock.now } });
  await using other = await startKeyed(stepwise);
  const [one, two] = [await createKey(t), await createKey(other)];
  const [id, elsewhere] = [await finished(t, bearer(one.key)), await finished(other, bearer(two.key))];
  const { token } = await link(t, id, bearer(one.key), { expires_in: 60 });
  const foreign = (await link(other, elsewhere, bearer(two.key))).token;
  const forged = Buffer.from(token, 'base64url');
  // A year more.
  forged.writeUIntBE(forged.readUIntBE(16, 6) + 31_536_000, 16, 6);
  expect((await statusAndBody(t.get(`/api/bridge/links/${token}`)))[0]).toBe(200);
  clock.advance(60_000);
  const told = new Set<string>();
  for (const wrong of [token, foreign, forged.toString('base64url'), id, 'x', '%25', '__proto__'])
    for (const rest of ['', '/results/0', '/archive'])
      told.add(JSON.stringify(await statusAndBody(t.get(`/api/bridge/links/${wrong}${rest}`))));
  expect([...told]).toEqual([expect.stringContaining('404,')]);
});

test('it ends with the results at the latest, with its job, and with a revoked key', async () => {
  await using t = await startKeyed({ ...stepwise, env: { RESULT_TTL_HOURS: '1' } });
  const key = await createKey(t);
  const mine = bearer(key.key);
  const [first, second] = [await finished(t, mine), await finished(t, mine)];
  const long = await link(t, first, mine, { expires_in: 86_400 });
  const { expires_at } = await parseBody<{ expires_at: string }>(
    t.get(`/api/bridge/jobs/${first}`, { headers: mine }),
  );
  expect(Date.parse(expires_at) - Date.parse(long.expires_at)).toBeLessThan(1_000);
  const other = await link(t, second, mine);
  const open = async ({ token }: { token: string }) =>
    (await statusAndBody(t.get(`/api/bridge/links/${token}`)))[0];
  expect(await open(long)).toBe(200);
  await t.get(`/api/bridge/jobs/${first}`, { method: 'DELETE', headers: mine });
  expect(await open(long)).toBe(404);
  expect(await open(other)).toBe(200);
  await revokeKey(t, key.id);
  expect(await open(other)).toBe(404);
});

test("nobody makes a link to another's job, or to one whose results are gone", async () => {
  await using t = await startKeyed(stepwise);
  const [one, other] = [await createKey(t), await createKey(t)];
  const id = await finished(t, bearer(one.key));
  const post = (headers: Record<string, string>, body?: unknown) =>
    statusAndBody(t.post(`/api/bridge/jobs/${id}/links`, body, { headers }));
  expect((await post(bearer(other.key)))[0]).toBe(404);
  expect((await post({}))[0]).toBe(401);
  expect((await post(bearer(one.key), { expires_in: 0 }))[0]).toBe(400);
  expect((await post(bearer(operatorToken)))[0]).toBe(201);
  const archive = await statusAndBody(
    t.get(`/api/bridge/jobs/${id}/archive`, { headers: bearer(other.key) }),
  );
  expect(archive[0]).toBe(404);
  await using open = await startBridge();
  const { jobId } = await submit(open, 'one');
  await (await open.sim.nextPrompt()).finish({ images: 1 });
  await ended(open, 'one');
  await (await open.get('/history?clientId=one')).arrayBuffer();
  const late = await open.post(`/api/bridge/jobs/${jobId}/links`, {});
  expect([late.status, await late.text()]).toEqual([409, expect.stringContaining('gone')]);
});

test('links outlive a restart', async () => {
  await using world = await startWorld();
  let token = '';
  {
    await using t = await world.start();
    const job = await readJob(send(t, {}), 201);
    const done = t.nextEvent('job:finished');
    await (await world.sim.nextPrompt()).finish({ images: 1 });
    await done;
    ({ token } = await link(t, job.id));
  }
  await using t = await world.start();
  expect((await statusAndBody(t.get(`/api/bridge/links/${token}`)))[0]).toBe(200);
});

test('all results come in one archive, whose length is known before', async () => {
  await using t = await startKeyed(stepwise);
  const key = await createKey(t);
  const id = await finished(t, bearer(key.key), 3);
  const { token } = await link(t, id, bearer(key.key));
  for (const [path, headers] of [
    [`/api/bridge/links/${token}/archive`, {}],
    [`/api/bridge/jobs/${id}/archive`, bearer(key.key)],
  ] as const) {
    const answer = await t.get(path, { headers });
    expect(answer.headers.get('content-type')).toBe('application/zip');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="Text to image ${id.slice(0, 8)}.zip"`,
    );
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes).toHaveLength(Number(answer.headers.get('content-length')));
    const files = readZip(bytes);
    expect(files.size).toBe(3);
    const { outputs } = sharedResultsSchema.parse(await parseBody(t.get(`/api/bridge/links/${token}`)));
    for (const { url, size_bytes } of outputs) {
      const own = Buffer.from(await (await t.get(url)).arrayBuffer());
      expect(own).toHaveLength(size_bytes);
      expect([...files.values()].some((file) => file.equals(own))).toBe(true);
    }
  }
  const head = await t.get(`/api/bridge/links/${token}/archive`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});
