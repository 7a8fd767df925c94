import { expect, test } from 'vitest';

import { startBridge } from './_start-bridge.ts';

const start = () => startBridge({ sims: 0, env: { BASE_PATH: '/comfy' } });

test('the page is made of files of the bridge alone, below its own path', async () => {
  await using t = await start();
  const page = await t.get('/docs');
  const html = await page.text();
  const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link ?? '');
  expect(links).toContain('docs/swagger-ui-bundle.js');
  for (const link of links) {
    // As a browser resolves it.
    const url = new URL(link, `${t.url}/docs`);
    expect(url.href.startsWith(`${t.url}/`), url.href).toBe(true);
    const file = await fetch(url, { headers: { connection: 'close' } });
    expect(file.status, url.href).toBe(200);
    await file.arrayBuffer();
  }
});

test('the page runs nothing but its own scripts, in a policy that names no other host', async () => {
  await using t = await start();
  const page = await t.get('/docs');
  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(await page.text()).not.toMatch(/<script>|<style>|\son\w+=|\sstyle=/);
});

test('a browser keeps each file, and asks whether it still holds', async () => {
  await using t = await start();
  for (const path of ['/docs', '/docs/page.css', '/docs/page.js', '/docs/swagger-ui.css']) {
    const first = await t.get(path);
    await first.arrayBuffer();
    expect(first.headers.get('cache-control')).toBe('no-cache');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const again = await t.get(path, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  }
});

test('with a slash at its end it leads to where its links are right', async () => {
  await using t = await start();
  const answer = await t.get('/docs/', { redirect: 'manual' });
  await answer.arrayBuffer();
  expect(answer.status).toBe(308);
  expect(new URL(answer.headers.get('location') ?? '', `${t.url}/docs/`).href).toBe(`${t.url}/docs`);
});

test.each(['package.json', 'index.html', 'swagger-ui-bundle.js.map', '..%2Fpackage.json', '__proto__'])(
  'nothing else of Swagger UI is served: %s',
  async (file) => {
    await using t = await start();
    const answer = await t.get(`/docs/${file}`);
    expect(answer.status).toBe(404);
    await answer.arrayBuffer();
  },
);
