import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { assetOf, largePng, png, pngHash, postAsset, refused } from './_assets.ts';
import { ended, parseBody, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

async function upload(t: TestBridge, bytes = png): Promise<string> {
  return `/api/v2/assets/${(await assetOf(postAsset(t, { bytes }), 201)).id}/content`;
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

test('content says what it is, how much, and under which tag', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = await upload(t);
  for (const method of ['GET', 'HEAD']) {
    const answer = await t.get(path, { method });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(png.length),
      'accept-ranges': 'bytes',
      etag: `"${pngHash}"`,
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment; filename=photo.png',
    });
    expect((await bytesOf(answer)).equals(method === 'GET' ? png : Buffer.alloc(0))).toBe(true);
  }
});

// The one is kept in memory for a moment, the other is streamed from the disk.
test.each([
  ['small', png],
  ['large', largePng],
])('any one range of a %s file is sent alone', async (_what, file) => {
  await using t = await startBridge({ sims: 0 });
  const path = await upload(t, file);
  const size = file.length;
  const ranges: [string, number, number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=10-99', 10, 99],
    [`bytes=${size - 5}-`, size - 5, size - 1],
    ['bytes=-7', size - 7, size - 1],
    [`bytes=-${size + 100}`, 0, size - 1],
    [`bytes=5-${size + 100}`, 5, size - 1],
  ];
  for (const [range, start, end] of ranges) {
    const answer = await t.get(path, { headers: { range } });
    expect(answer.status, range).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/${size}`);
    expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
    expect((await bytesOf(answer)).equals(file.subarray(start, end + 1)), range).toBe(true);
  }
});

test('a range beyond the end is told how long the file is', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = await upload(t);
  for (const range of [`bytes=${png.length}-`, 'bytes=-0']) {
    const answer = await t.get(path, { headers: { range } });
    expect(answer.headers.get('content-range')).toBe(`bytes */${png.length}`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    await refused(answer, 416, 'range_not_satisfiable');
  }
});

test.each<[string, Record<string, string>]>([
  ['several ranges', { range: 'bytes=0-1,5-6' }],
  ['ranges of something else', { range: 'rows=0-1' }],
  ['a part of a file that has changed', { range: 'bytes=0-1', 'if-range': '"blake3:00"' }],
  ['a part of a file of another date', { range: 'bytes=0-1', 'if-range': 'Sat, 21 Nov 2026 10:00:00 GMT' }],
])('who asks for %s gets the whole', async (_what, headers) => {
  await using t = await startBridge({ sims: 0 });
  const answer = await t.get(await upload(t), { headers });
  expect(answer.status).toBe(200);
  expect((await bytesOf(answer)).equals(png)).toBe(true);
});

test('a download goes on where it was, and what is there is not sent again', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = await upload(t);
  const etag = `"${pngHash}"`;
  const rest = await t.get(path, { headers: { range: 'bytes=100-', 'if-range': etag } });
  expect(rest.status).toBe(206);
  expect((await bytesOf(rest)).equals(png.subarray(100))).toBe(true);
  const known = await t.get(path, { headers: { 'if-none-match': `"x", ${etag}` } });
  expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([304, etag, '']);
});

test('a file that is gone from the disk is not there, and its bytes can be sent anew', async () => {
  await using t = await startBridge({ sims: 0 });
  const path = await upload(t);
  await rm(join(t.dataDir, 'uploads'), { recursive: true });
  await refused(t.get(path), 404, 'not_found');
  expect((await t.get(`/api/v2/assets/by-hash/${pngHash}`, { method: 'HEAD' })).status).toBe(404);
});

test('an output is an asset until it was delivered, and cannot be deleted', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  const job = await t.bridge.ledger.latestOf('one');
  const result = job?.state.status === 'succeeded' ? job.state.results[0] : undefined;
  const path = `/api/v2/assets/${result?.id ?? ''}`;
  const asset = await assetOf(t.get(path), 200);
  expect(asset).toMatchObject({
    id: result?.id,
    hash: result?.hash,
    job_id: job?.id,
    file_path: result?.fileName,
    size_bytes: result?.size,
  });
  const whole = await bytesOf(await t.get(`${path}/content`, { headers: { authorization: 'Bearer other' } }));
  expect(whole).toHaveLength(asset.size_bytes);
  for (const link of [`${path}/content`, `/api/bridge/jobs/${job?.id ?? ''}/results/0`]) {
    const part = await t.get(link, { headers: { range: 'bytes=-8' } });
    expect(part.status).toBe(206);
    expect((await bytesOf(part)).equals(whole.subarray(-8))).toBe(true);
  }
  await refused(t.get(path, { method: 'DELETE' }), 409, 'asset_in_use');

  await parseBody(t.get('/history?clientId=one&resType=base64'));
  await refused(t.get(path), 404, 'not_found');
  await refused(t.get(`${path}/content`), 404, 'not_found');
  await refused(t.get(path, { method: 'DELETE' }), 404, 'not_found');
  expect(t.errors).toEqual([]);
});

test('an output that has expired is not there', async () => {
  let ahead = 0;
  await using t = await startBridge({ overrides: { now: () => Date.now() + ahead } });
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const { state } = await ended(t, 'one');
  const path = `/api/v2/assets/${state.status === 'succeeded' ? (state.results[0]?.id ?? '') : ''}`;
  await assetOf(t.get(path), 200);
  ahead = 25 * 3_600_000;
  await refused(t.get(path), 404, 'not_found');
});
