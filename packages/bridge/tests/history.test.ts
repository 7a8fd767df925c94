import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Base64Results } from '@comfy-bridge/protocol';
import sharp from 'sharp';
import { expect, test } from 'vitest';

import { detailOf, ended, parseBody, rawConnection, runJob, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const pixels = (size: number) =>
  Buffer.from(Array.from({ length: size * size * 3 }, (_, at) => (at * 7919) >> 3));
const picture = (size: number) =>
  sharp(pixels(size), { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();

async function expectNothing(t: TestBridge, clientId: string, reason: RegExp): Promise<void> {
  const answer = await t.get(`/history?clientId=${clientId}`);
  expect(answer.status).toBe(204);
  expect(answer.headers.get('x-detail')).toMatch(reason);
  expect(await answer.text()).toBe('');
}

test('multipart: a part per result, with name, filename, content type and the very bytes', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const images = [{ bytes: await picture(16) }, { bytes: await picture(24), filename: '고양이 "1".png' }];
  for (const { bytes } of images) t.sim.failNext('GET /view', { body: bytes, contentType: 'image/png' });
  await (await t.sim.nextPrompt()).finish({ images });
  await ended(t, 'one');
  const answer = await t.get('/history?clientId=one&resType=multipart');
  expect(answer.status).toBe(200);
  const type = answer.headers.get('content-type') ?? '';
  expect(type).toMatch(/^multipart\/form-data; boundary=\S+$/);
  const body = Buffer.from(await answer.arrayBuffer());
  expect(Number(answer.headers.get('content-length'))).toBe(body.length);
  expect(body.toString()).toContain(
    'Content-Disposition: form-data; name="result_0"; filename="text-to-image_00001_.png"\r\nContent-Type: image/png\r\n',
  );
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  expect([...form.keys()]).toEqual(['result_0', 'result_1']);
  const files = [...form.values()].filter((value) => typeof value !== 'string');
  expect(files.map(({ name }) => name)).toEqual(['text-to-image_00001_.png', '고양이 "1".png']);
  for (const [index, file] of files.entries()) {
    expect(file.type).toBe('image/png');
    expect(Buffer.from(await file.arrayBuffer()).equals(images[index]?.bytes ?? Buffer.alloc(0))).toBe(true);
  }
});

test('base64: file_name, content_type and content of each, and nothing else', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const bytes = await picture(17);
  await (
    await t.sim.nextPrompt()
  ).finish({
    images: [
      { bytes, filename: 'a.png' },
      { bytes: await picture(5), filename: 'b.png' },
    ],
  });
  await ended(t, 'one');
  const answer = await t.get('/history?clientId=one&resType=base64');
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  const body = await answer.json();
  expect(body).toEqual({
    files: [
      { file_name: 'a.png', content_type: 'image/png', content: bytes.toString('base64') },
      { file_name: 'b.png', content_type: 'image/png', content: expect.any(String) },
    ],
  });
});

test('204 with the reason in X-Detail: unknown clientId, nothing yet, delivered already', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await expectNothing(t, 'nobody', /unknown clientId nobody/);
  await submit(t, 'one');
  await submit(t, 'waits');
  const run = await t.sim.nextPrompt();
  run.progress(1, 20, '3');
  await expectNothing(t, 'one', /not finished/);
  await expectNothing(t, 'waits', /not finished/);
  await run.finish({ images: 1 });
  await ended(t, 'one');
  expect((await t.get('/history?clientId=one')).status).toBe(200);
  await expectNothing(t, 'one', /delivered/);
});

test('a failed job is 400 with the reason, as often as asked; an interrupted one as well', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  (await t.sim.nextPrompt()).fail({ message: 'the model broke' });
  await ended(t, 'one');
  for (let time = 0; time < 2; time += 1) {
    const answer = await t.get('/history?clientId=one');
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toContain('the model broke');
  }
  await submit(t, 'two');
  await t.sim.nextPrompt();
  await t.post('/interrupt?clientId=two');
  await ended(t, 'two');
  const answer = await t.get('/history?clientId=two');
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toMatch(/interrupted/);
});

test('a resType that does not exist is 400; results stay', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  const answer = await t.get('/history?clientId=one&resType=xml');
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toMatch(/multipart or base64/);
  expect((await t.get('/history?clientId=one&resType=')).status).toBe(200);
});

test('a broken transfer can be fetched again; delivered results are deleted', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  // More than the system's socket buffers hold, so that the transfer cannot be complete.
  const bytes = await picture(2_000);
  await (await t.sim.nextPrompt()).finish({ images: [{ bytes }] });
  const { id } = await ended(t, 'one');
  using raw = rawConnection(t);
  raw.socket.write('GET /history?clientId=one HTTP/1.1\r\nHost: x\r\n\r\n');
  raw.socket.once('data', () => raw.socket.resetAndDestroy());
  expect(await raw.received).toMatch(/^HTTP\/1\.1 200 /);
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([expect.stringContaining(`${id}.`)]);
  const delivered = t.nextEvent('job:delivered');
  const form = await (await t.get('/history?clientId=one')).formData();
  const file = form.get('result_0');
  if (file === null || typeof file === 'string') throw new Error('no file');
  expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
  await delivered;
  await expectNothing(t, 'one', /delivered/);
  await expect.poll(() => readdir(join(t.dataDir, 'results'))).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('of two that fetch at the same time exactly one gets the results', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  const answers = await Promise.all(Array.from({ length: 5 }, () => t.get('/history?clientId=one')));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 204, 204, 204, 204]);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
});

test('HEAD tells what would come and delivers nothing', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  const head = await t.get('/history?clientId=one', { method: 'HEAD' });
  expect(head.status).toBe(200);
  const answer = await t.get('/history?clientId=one');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-length')).toBe(head.headers.get('content-length'));
  await answer.arrayBuffer();
});

test('what a workflow says in words comes as a text file', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ outputs: { '9': { text: ['안녕 <script>'] } } });
  await ended(t, 'one');
  const { files } = await parseBody<Base64Results>(t.get('/history?clientId=one&resType=base64'));
  expect(files).toEqual([
    {
      file_name: 'text.txt',
      content_type: 'text/plain',
      content: Buffer.from('안녕 <script>').toString('base64'),
    },
  ]);
});

test('a workflow that runs and produces nothing has failed, and says so', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ emptyOutputs: true });
  expect(await ended(t, 'one')).toMatchObject({ state: { status: 'failed', error: { code: 'no_results' } } });
  expect(await detailOf(await t.get('/history?clientId=one'))).toMatch(/no result/);
});

test('a result that is not what it says is refused, not delivered', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  await (
    await t.sim.nextPrompt()
  ).finish({ images: [{ bytes: Buffer.from('<script>alert(1)</script>'), filename: 'a.png' }] });
  expect(await ended(t, 'one')).toMatchObject({
    state: { status: 'failed', error: { code: 'result_refused' } },
  });
  expect(await detailOf(await t.get('/history?clientId=one'))).toContain('a.png');
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([]);
});

test('the ComfyUI forgets the prompt once its results are here', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  await expect.poll(() => t.sim.history()).toEqual([]);
});

test('a submit that is refused leaves the results of the job before it to be fetched', async () => {
  await using t = await startBridge();
  await runJob(t, 'one');
  const refused = await t.post('/generate-based-workflow?clientId=one', {
    workflow: 'upscale',
    '2/scale_by': 99,
  });
  expect(refused.status).toBe(400);
  await refused.arrayBuffer();
  const answer = await t.get('/history?clientId=one&resType=base64');
  expect(answer.status).toBe(200);
  expect((await parseBody<Base64Results>(answer)).files).toHaveLength(1);
});
