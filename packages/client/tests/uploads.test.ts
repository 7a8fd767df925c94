import { randomBytes } from 'node:crypto';

import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { startFaultProxy } from '../../../test/faults/_fault-proxy.ts';
import type { TestBridge } from '../../bridge/tests/_start-bridge.ts';
import { clientOf, readPicture, watchedFetch } from './_client.ts';
import type { SentRequest } from './_client.ts';

const megabyte = 1024 * 1024;

/** A text of random bytes as hexadecimal lines: allowed, and nothing can make it shorter. */
function bigText(bytes: number): File {
  const lines = randomBytes(bytes / 2)
    .toString('hex')
    .replace(/.{64}/g, '$&\n');
  return new File([lines.slice(0, bytes)], 'notes.txt', { type: 'text/plain' });
}

async function contentOf(t: TestBridge, id: string): Promise<string> {
  const answer = await t.get(`/api/v2/assets/${id}/content`);
  expect(answer.status).toBe(200);
  return answer.text();
}

const isPiece = ({ method }: SentRequest) => method === 'PATCH';

test('5 MB go up in one request', async () => {
  await using t = await startBridge({ sims: 0 });
  const { fetch, requests } = watchedFetch();
  const file = bigText(5 * megabyte);
  const id = await clientOf(t.url, { fetch }).upload(file);
  expect(await contentOf(t, id)).toBe(await file.text());
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/v2/assets']);
});

test('what is over the limit of the client goes up in pieces of 8 MB, and is the same asset', async () => {
  await using t = await startBridge({ sims: 0 });
  const { fetch, requests } = watchedFetch();
  const file = bigText(17 * megabyte);
  const id = await clientOf(t.url, { fetch, singleUploadBytes: 16 * megabyte }).upload(file);
  expect(await contentOf(t, id)).toBe(await file.text());
  const pieces = requests.filter(isPiece);
  expect(pieces.map(({ headers }) => Number(headers.get('upload-offset')))).toEqual([
    0,
    8 * megabyte,
    16 * megabyte,
  ]);
});

test('what the server refuses as too large for one request goes up in pieces', async () => {
  await using t = await startBridge({ env: { UPLOAD_MAX_SIZE: '0.004' } });
  const { fetch, requests } = watchedFetch();
  const png = await readPicture();
  expect(png.length).toBeGreaterThan(4_194);
  const running = clientOf(t.url, { fetch }).run('upscale', { picture: new Blob([png]) });
  const run = await t.sim.nextPrompt();
  const sent = t.sim.readFile('input', String(run.prompt['1']?.inputs['image']));
  expect(Buffer.from(sent ?? [])).toEqual(png);
  await run.finish({ images: 1 });
  expect((await running).outputs).toHaveLength(1);
  expect(requests.filter(isPiece)).toHaveLength(1);
});

test('pieces go on where the line broke, and a piece whose answer is lost is not sent twice', async () => {
  await using t = await startBridge({ sims: 0 });
  await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
  const file = bigText(20 * megabyte);
  let patches = 0;
  const { fetch, requests } = watchedFetch(async (request, send) => {
    if (!isPiece(request)) return send();
    patches += 1;
    if (patches === 1) {
      // In the middle of it.
      await proxy.set({ bytesPerSecond: 16 * megabyte });
      setTimeout(() => void proxy.set().then(() => proxy.cut()), 250);
      return send();
    }
    const answer = await send();
    if (patches !== 2) return answer;
    await answer.body?.cancel();
    throw new TypeError('terminated');
  });
  const id = await clientOf(`http://${proxy.address}`, { fetch, singleUploadBytes: megabyte }).upload(file);
  expect(await contentOf(t, id)).toBe(await file.text());
  const offsets = requests.filter(isPiece).map(({ headers }) => Number(headers.get('upload-offset')));
  expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b));
  expect(requests.filter(({ method }) => method === 'HEAD').length).toBeGreaterThanOrEqual(2);
});

test('a lost answer to the last piece is found out by asking', async () => {
  await using t = await startBridge({ sims: 0 });
  const file = bigText(megabyte);
  let losses = 1;
  const { fetch, requests } = watchedFetch(async (request, send) => {
    const answer = await send();
    if (!isPiece(request) || losses === 0) return answer;
    losses -= 1;
    await answer.body?.cancel();
    throw new TypeError('terminated');
  });
  const id = await clientOf(t.url, { fetch, singleUploadBytes: 1 }).upload(file);
  expect(await contentOf(t, id)).toBe(await file.text());
  expect(requests.filter(isPiece)).toHaveLength(1);
});

test('an upload whose answer is lost is sent again under another key', async () => {
  await using t = await startBridge({ sims: 0 });
  let losses = 1;
  const { fetch, requests } = watchedFetch(async (_, send) => {
    const answer = await send();
    if (losses === 0) return answer;
    losses -= 1;
    await answer.body?.cancel();
    throw new TypeError('terminated');
  });
  const id = await clientOf(t.url, { fetch }).upload(new Blob([await readPicture()]));
  expect((await t.get(`/api/v2/assets/${id}`)).status).toBe(200);
  expect(new Set(requests.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(2);
});

test('a file that the bridge refuses is refused in pieces as well, at once', async () => {
  await using t = await startBridge({ sims: 0 });
  const script = new File(['#!/bin/sh\necho hello\n'], 'picture.png');
  const { fetch, requests } = watchedFetch();
  const refused = clientOf(t.url, { fetch, singleUploadBytes: 1 }).upload(script);
  await expect(refused).rejects.toMatchObject({ code: 'file_refused' });
  expect(requests.filter(isPiece)).toHaveLength(1);
});

test('at most four files go up at the same time, each of them once', async () => {
  await using t = await startBridge({ sims: 0 });
  let now = 0;
  let most = 0;
  const { fetch, requests } = watchedFetch(async (_, send) => {
    now += 1;
    most = Math.max(most, now);
    try {
      return await send();
    } finally {
      now -= 1;
    }
  });
  const png = await readPicture();
  const files = Array.from({ length: 9 }, () => new Blob([png]));
  const bridge = clientOf(t.url, { fetch });
  // There is no ComfyUI here that could run it.
  await bridge.submitAll('upscale', { picture: [...files, ...files] }).catch(() => {});
  expect(requests.filter(({ path }) => path.endsWith('/assets'))).toHaveLength(9);
  expect(most).toBe(4);
});

test('the first file that is refused ends the other uploads, and no job is made', async () => {
  await using t = await startBridge();
  const png = await readPicture();
  const { fetch, requests } = watchedFetch();
  const bad = new File(['nothing of the kind'], 'bad.png');
  const pictures = [bad, ...Array.from({ length: 20 }, () => new Blob([png]))];
  const bridge = clientOf(t.url, { fetch });
  const refused = bridge.runAll('upscale', { picture: pictures });
  await expect(refused).rejects.toMatchObject({ code: 'file_refused' });
  // Time enough for the others to go on.
  for (let round = 0; round < 3; round += 1) await bridge.upload(new Blob([png]));
  expect(requests.length).toBeLessThan(12);
  expect(requests.every(({ path }) => path.endsWith('/assets'))).toBe(true);
});
