import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { startKeyed } from './_keys.ts';
import { makePage, script } from './_page.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

const plain = { headers: { 'accept-encoding': 'identity' } };

/** The bytes as they come over the wire: `fetch` unpacks them. */
function raw(t: TestBridge, path: string, encoding: string) {
  return new Promise<{ headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const headers = { 'accept-encoding': encoding, connection: 'close' };
    const call = request(`${t.url}${path}`, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks) }));
    });
    call.on('error', reject);
    call.end();
  });
}

test('the page and its files are there for everybody, and nothing else of their folder is', async () => {
  await using page = await makePage();
  await using t = await startKeyed({ overrides: { pageDir: page.dist } });
  const index = await t.get('/');
  expect(index.status).toBe(200);
  expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(await index.text()).toContain('./console/app-1a2b3c.js');
  const file = await t.get('/console/app-1a2b3c.js');
  expect([file.status, file.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
  expect(await file.text()).toBe(script);
  for (const path of [
    ...['index.html', 'outside.js', 'linked.js', 'deeper', 'deeper%2Ffile.js', 'app-1a2b3c.js.map'],
    ...['..%2Foutside.js', '..%2F..%2Fsecret.js', '%2e%2e%2foutside.js', '__proto__', 'constructor'],
    ...['..%5Coutside.js', 'app-1a2b3c.js%00', '.', ''],
  ]) {
    const answer = await t.get(`/console/${path}`);
    expect([401, 404], path).toContain(answer.status);
    expect(await answer.text()).not.toMatch(/secret|outside|deeper/);
  }
});

test('what the page may do is in its policy: its own files, and no inline script', async () => {
  await using page = await makePage();
  await using t = await startBridge({ sims: 0, overrides: { pageDir: page.dist } });
  const index = await t.get('/');
  await index.arrayBuffer();
  const policy = index.headers.get('content-security-policy') ?? '';
  expect(policy.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]);
  expect(index.headers.get('permissions-policy')).toBe('camera=(self), microphone=(), geolocation=()');
  expect(index.headers.get('x-content-type-options')).toBe('nosniff');
});

test('a browser asks for the page each time, and keeps its files for good', async () => {
  await using page = await makePage();
  await using t = await startBridge({ sims: 0, overrides: { pageDir: page.dist } });
  for (const [path, cacheControl] of [
    ['/', 'no-cache'],
    ['/console/mark.svg', 'public, max-age=31536000, immutable'],
  ] as const) {
    const first = await t.get(path, plain);
    await first.arrayBuffer();
    expect(first.headers.get('cache-control')).toBe(cacheControl);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const again = await t.get(path, { headers: { ...plain.headers, 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  }
});

test('text is sent packed as the browser takes it; fonts are as they are', async () => {
  await using page = await makePage();
  await using t = await startBridge({ sims: 0, overrides: { pageDir: page.dist } });
  const etags = new Set<unknown>();
  for (const [asked, encoding, unpack] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0', undefined, (bytes: Buffer) => bytes],
  ] as const) {
    const { headers, body } = await raw(t, '/console/app-1a2b3c.js', asked);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers.vary).toContain('Accept-Encoding');
    expect(unpack(body).toString()).toBe(script);
    etags.add(headers.etag);
  }
  expect(etags.size).toBe(3);
  const { headers } = await raw(t, '/console/face.woff2', 'br');
  expect([headers['content-encoding'], headers['content-type']]).toEqual([undefined, 'font/woff2']);
});

test('below a base path its links hold, with and without the slash', async () => {
  await using page = await makePage();
  await using t = await startBridge({
    sims: 0,
    env: { BASE_PATH: '/comfy' },
    overrides: { pageDir: page.dist },
  });
  const bare = await t.get('?x=1', { redirect: 'manual' });
  await bare.arrayBuffer();
  expect([bare.status, bare.headers.get('location')]).toEqual([308, '/comfy/']);
  const index = await t.get('/');
  expect(index.status).toBe(200);
  const link = /src="([^"]+)"/.exec(await index.text())?.[1] ?? '';
  const file = await fetch(new URL(link, `${t.url}/`), { headers: { connection: 'close' } });
  expect(await file.text()).toBe(script);
});

test('a bridge whose page is not built says so, and what to do', async () => {
  await using t = await startBridge({ sims: 0, overrides: { pageDir: join(tmpdir(), 'no-page-is-here') } });
  const index = await t.get('/');
  expect(index.status).toBe(200);
  expect(index.headers.get('cache-control')).toBe('no-store');
  expect(await index.text()).toMatch(/not built yet[\s\S]*turbo run build/);
  const file = await t.get('/console/app.js');
  expect(file.status).toBe(404);
  await file.arrayBuffer();
});
