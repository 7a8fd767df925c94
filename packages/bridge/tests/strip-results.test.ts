import { Readable } from 'node:stream';

import { expect, test } from 'vitest';

import { collectResult } from '../src/files/collect-result.ts';
import type { FileKey } from '../src/files/file-store.ts';
import { hashContent } from '../src/lib/content-hash.ts';
import { createStore, picture, pngChunk, policy, withPngChunks } from './_files-fixtures.ts';
import { readRecording, secret, strip } from './_metadata.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const png = await picture(300, 300).png({ compressionLevel: 0 }).toBuffer();
const withWorkflow = withPngChunks(
  png,
  pngChunk('tEXt', Buffer.from(`prompt\0{"6": "${secret}"}`)),
  pngChunk('tEXt', Buffer.from(`workflow\0{"nodes": "${secret}"}`)),
);
const clip = await readRecording('clip.webm');
const key: FileKey = 'results/job-1/0';

test.each([
  ['ComfyUI_00001_.png', withWorkflow, 'image/png'],
  ['clip.webm', clip, 'video/webm'],
])('%s is kept without the workflow in it, small or large', async (fileName, bytes, contentType) => {
  for (const contentLength of [bytes.length, undefined]) {
    await using fixture = await createStore();
    const { store } = fixture;
    const source = { body: Readable.from([bytes]), contentType, fileName, key, contentLength };
    const outcome = await collectResult({ store, policy, maxBytes: 10_000_000, strip: true }, source);
    const wanted = await strip(contentType, bytes);
    const { stream } = await store.open(key);
    expect(Buffer.concat(await stream.toArray()).equals(wanted)).toBe(true);
    expect(wanted.includes(secret)).toBe(false);
    expect(outcome).toMatchObject({ ok: true, result: { size: wanted.length, hash: hashContent(wanted) } });
    expect(await fixture.left()).toHaveLength(1);
  }
});

test('without metadata, a result is kept byte for byte', async () => {
  await using fixture = await createStore();
  const source = { body: Readable.from([png]), contentType: 'image/png', fileName: 'a.png', key };
  await collectResult({ store: fixture.store, policy, maxBytes: 10_000_000, strip: true }, source);
  const { stream } = await fixture.store.open(key);
  expect(Buffer.concat(await stream.toArray()).equals(png)).toBe(true);
});

/** Whether what a client gets of a finished job still tells the workflow. */
async function tells(t: TestBridge, workflow: string): Promise<boolean> {
  await submit(t, workflow, { workflow });
  await (await t.sim.nextPrompt()).finish({ images: [{ bytes: withWorkflow }] });
  await ended(t, workflow);
  const answer = await parseBody<{ files: { content: string }[] }>(
    t.get(`/history?clientId=${workflow}&resType=base64`),
  );
  const content = Buffer.from(answer.files[0]?.content ?? '', 'base64');
  expect(content.length).toBeGreaterThan(100_000);
  return content.includes(secret);
}

test.each([
  ['off', true, true],
  ['on', false, false],
  ['blend, text-to-image', false, true],
])('STRIP_WORKFLOW_METADATA=%s', async (setting, first, second) => {
  await using t = await startBridge({ env: { STRIP_WORKFLOW_METADATA: setting } });
  expect(await tells(t, 'text-to-image')).toBe(first);
  expect(await tells(t, 'image-to-image')).toBe(second);
});
