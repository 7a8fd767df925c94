import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { startFaultProxy } from '../../../test/faults/_fault-proxy.ts';
import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import { readBlocks } from './_blocks.ts';
import { buildBundle } from './_bundle.ts';
import { findChromium, openPage } from './_chromium.ts';
import { readPicture } from './_client.ts';

/** Bytes of the browser entry over the line, compressed. */
const budget = 6 * 1024;

test(`the browser entry is one file of less than ${budget} bytes, and imports nothing`, async (context) => {
  await using bundle = await buildBundle('production');
  const code = await readFile(join(bundle.folder, 'index.mjs'));
  const size = gzipSync(code, { level: 9 }).length;
  await context.annotate(`${code.length} bytes, ${size} compressed`);
  expect(code.toString()).not.toMatch(/\bimport\b|\brequire\b|node:/);
  expect(size).toBeLessThan(budget);
});

const page = (
  bridgeUrl: string,
) => `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
import { createBridge, BridgeError } from '/index.mjs';
const report = (value) => fetch('/report', { method: 'POST', body: JSON.stringify(value) });
try {
  const bridge = createBridge({ url: ${JSON.stringify(bridgeUrl)}, apiKey: 'key' });
  const bytes = await (await fetch('/picture.png')).arrayBuffer();
  const image = new File([bytes], 'picture.png', { type: 'image/png' });
  const heard = { progress: 0, previews: 0, statuses: [] };
  const { job, outputs } = await bridge.run('image-to-image', { text: 'a castle', image }, {
    priority: 5,
    onProgress: ({ value }) => (heard.progress = value),
    onPreview: async ({ blob }) => (heard.previews += (await createImageBitmap(blob)).width > 0 ? 1 : 0),
    onStatus: ({ status }) => heard.statuses.push(status),
  });
  const picture = await createImageBitmap(await outputs[0].blob());
  const pieces = createBridge({ url: ${JSON.stringify(bridgeUrl)}, apiKey: 'key', singleUploadBytes: 1 });
  const second = await pieces.run('upscale', { picture: image });
  const controller = new AbortController();
  const abort = { signal: controller.signal, onProgress: () => controller.abort() };
  const aborted = await bridge.run('image-to-image', { image, seed: 5, steps: 50 }, abort).catch((error) => error.name);
  const refused = await bridge.run('no-such', {}).catch((error) => [error instanceof BridgeError, error.code]);
  const gone = await createBridge({ url: 'http://127.0.0.1:9', retryMs: 100 }).workflows().catch((error) => error.code);
  const path = await bridge.run('upscale', { picture: { path: '/x.png' } }).catch((error) => error.code);
  await report({ status: job.status, heard, width: picture.width, second: second.job.status, aborted, refused, gone, path });
} catch (error) {
  await report({ error: String(error), code: error.code, stack: error.stack });
}
</script>`;

const chromium = findChromium();

test.skipIf(chromium === undefined)(
  `in a browser, from another origin: files, progress, previews, pieces, results, aborts and errors${chromium === undefined ? ' (skipped: there is no Chromium here)' : ''}`,
  { timeout: 60_000 },
  async () => {
    await using bundle = await buildBundle('production');
    await using site = await startSite(bundle.folder);
    await using t = await startBridge({
      sim: { mode: 'free', stepMs: 20, previews: true },
      env: { CORS_ORIGINS: site.url },
    });
    site.show(page(t.url));
    await using _ = await openPage(chromium ?? '', site.url);
    expect(await site.reported).toEqual({
      status: 'succeeded',
      heard: {
        progress: 1,
        previews: expect.toSatisfy((count: number) => count > 0),
        statuses: expect.arrayContaining(['running', 'succeeded']),
      },
      width: expect.any(Number),
      second: 'succeeded',
      aborted: 'AbortError',
      refused: [true, 'not_found'],
      gone: 'connection_failed',
      path: 'not_in_browser',
    });
    expect(t.errors).toEqual([]);
  },
);

/** Picks a file as a person would, and tells when the page shows a result. */
const visitor = `<script type="module">
const bytes = await (await fetch('/picture.png')).arrayBuffer();
const chosen = new DataTransfer();
chosen.items.add(new File([bytes], 'picture.png', { type: 'image/png' }));
const [file, progress, picture] = ['file', 'progress', 'picture'].map((id) => document.getElementById(id));
file.files = chosen.files;
file.dispatchEvent(new Event('change'));
picture.onload = () => {
  if (progress.value === 1) fetch('/report', { method: 'POST', body: JSON.stringify({ width: picture.naturalWidth }) });
};
</script>`;

test.skipIf(chromium === undefined)(
  'the page of the README shows the result of the picture that a person picks',
  { timeout: 60_000 },
  async () => {
    await using bundle = await buildBundle('production');
    await using site = await startSite(bundle.folder);
    await using t = await startBridge({
      sim: { mode: 'free', stepMs: 20, previews: true },
      env: { CORS_ORIGINS: site.url },
    });
    const block = (await readBlocks()).find(({ language }) => language === 'html');
    site.show(`${block?.code.replace('http://127.0.0.1:8000', t.url)}${visitor}`);
    await using _ = await openPage(chromium ?? '', site.url);
    expect(await site.reported).toEqual({ width: expect.any(Number) });
  },
);

const cutPage = (bridgeUrl: string) => `<!doctype html><script type="module">
import { createBridge } from '/index.mjs';
const report = (value) => fetch('/report', { method: 'POST', body: JSON.stringify(value) });
try {
  const resumed = [];
  const bridge = createBridge({
    url: ${JSON.stringify(bridgeUrl)},
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (init?.headers?.['Last-Event-ID']) resumed.push(answer.status);
      return answer;
    },
  });
  let cuts = 0;
  const { outputs } = await bridge.run('text-to-image', { steps: 40 }, {
    onProgress: () => (cuts += 1) === 1 && fetch('/cut'),
  });
  await report({ outputs: outputs.length, resumed: resumed.includes(200) });
} catch (error) {
  await report({ error: String(error), stack: error.stack });
}
</script>`;

test.skipIf(chromium === undefined)(
  'in a browser, from another origin: a stream that is cut goes on behind its last event',
  { timeout: 60_000 },
  async () => {
    await using bundle = await buildBundle('production');
    await using site = await startSite(bundle.folder);
    await using t = await startBridge({
      sim: { mode: 'free', stepMs: 100 },
      env: { CORS_ORIGINS: site.url },
    });
    await using proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(t.url).port) });
    site.onCut(() => proxy.cut());
    site.show(cutPage(`http://${proxy.address}`));
    await using _ = await openPage(chromium ?? '', site.url);
    expect(await site.reported).toEqual({ outputs: 1, resumed: true });
  },
);

/** A small web server: the page, the bundle, a picture, and a place for what the page has to say. */
async function startSite(folder: string) {
  const reported = Promise.withResolvers<unknown>();
  let html = '';
  let cut = () => {};
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').catch(() => response.destroy());
    async function answer(path: string): Promise<void> {
      response.setHeader('Connection', 'close');
      if (path === '/cut') cut();
      if (path === '/report') reported.resolve(JSON.parse(await text(request)));
      if (path === '/index.mjs') response.setHeader('Content-Type', 'text/javascript');
      else if (path === '/') response.setHeader('Content-Type', 'text/html');
      if (path === '/index.mjs') response.end(await readFile(join(folder, 'index.mjs')));
      else response.end(path === '/picture.png' ? await readPicture() : path === '/' ? html : '');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    reported: reported.promise,
    onCut: (callback: () => unknown) => void (cut = () => void callback()),
    show: (page: string) => void (html = page),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
