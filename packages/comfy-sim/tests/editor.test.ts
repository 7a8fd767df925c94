import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSim } from '../src/sim.ts';
import type { Sim } from '../src/sim.ts';

let folder: string;
let sim: Sim;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sim-editor-'));
  const files = {
    'secret.txt': 'secret',
    'front/index.html': '<title>editor</title>',
    'front/assets/a.js': 'a',
    'front/extensions/core/own.js': 'own',
    'pack/main.js': 'main',
    'pack/deep/part.js': 'part',
    'pack/style.css': 'css',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await symlink(join(folder, 'secret.txt'), join(folder, 'front/link.txt'));
  const extensions = { 'my pack': join(folder, 'pack') };
  sim = await startSim({ frontEndRoot: join(folder, 'front'), extensions });
});
afterAll(async () => {
  await sim.close();
  await rm(folder, { recursive: true, force: true });
});

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(sim.url + path, { ...init, headers: { connection: 'close' } });
}

/** With the path exactly as given: `fetch` would tidy it up. */
function rawStatus(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: sim.host, port: sim.port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('with an editor', () => {
  test('its files are served, with the types that a browser wants', async () => {
    const page = await call('/');
    expect(await page.text()).toBe('<title>editor</title>');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect((await call('/assets/a.js')).headers.get('content-type')).toContain('text/javascript');
    expect((await call('/assets/none.js')).status).toBe(404);
    expect((await call('/assets')).status).toBe(404);
  });

  test('the scripts of the editor and of the packs are listed, and can be fetched', async () => {
    const listed = (await (await call('/api/extensions')).json()) as string[];
    expect(listed).toEqual([
      '/extensions/core/own.js',
      '/extensions/my%20pack/deep/part.js',
      '/extensions/my%20pack/main.js',
    ]);
    const texts = await Promise.all(listed.map(async (url) => await (await call(url)).text()));
    expect(texts).toEqual(['own', 'part', 'main']);
    expect(await (await call('/extensions/my%20pack/style.css')).text()).toBe('css');
  });

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/extensions/my%20pack/../../secret.txt',
    '/extensions/my%20pack/..%2f..%2fsecret.txt',
    '/link.txt',
    '/index.html%00',
    '/%ff',
  ])('no way leads out of its folders: %s', async (path) => {
    expect(await rawStatus(path)).toBe(404);
  });

  test('settings are kept, one by one or together', async () => {
    await call('/api/settings', { method: 'POST', body: JSON.stringify({ a: 1, b: { c: [2] } }) });
    await call('/api/settings/a', { method: 'POST', body: '"two"' });
    expect(await (await call('/settings')).json()).toEqual({ a: 'two', b: { c: [2] } });
    expect(await (await call('/settings/b')).json()).toEqual({ c: [2] });
    expect(await (await call('/settings/none')).json()).toBeNull();
    const large = JSON.stringify({ large: 'x'.repeat(2 * 1024 * 1024) });
    expect((await call('/settings', { method: 'POST', body: large })).status).toBe(413);
  });

  test('files of the user are saved, listed, moved and deleted', async () => {
    const file = encodeURIComponent('workflows/deep/a.json');
    const saved = await call(`/userdata/${file}?full_info=true`, { method: 'POST', body: '{}' });
    expect(await saved.json()).toMatchObject({ path: 'workflows/deep/a.json', size: 2 });
    expect((await call(`/userdata/${file}?overwrite=false`, { method: 'POST', body: '1' })).status).toBe(409);
    expect(await (await call('/userdata?dir=workflows&recurse=true')).json()).toEqual(['deep/a.json']);
    expect(await (await call('/userdata?dir=workflows')).json()).toEqual([]);
    expect(await (await call('/v2/userdata?path=workflows')).json()).toMatchObject([
      { path: 'workflows/deep', type: 'directory' },
      { path: 'workflows/deep/a.json', type: 'file', size: 2 },
    ]);
    const to = encodeURIComponent('workflows/b.json');
    expect(await (await call(`/userdata/${file}/move/${to}`, { method: 'POST' })).json()).toBe(
      'workflows/b.json',
    );
    expect((await call(`/userdata/${file}`)).status).toBe(404);
    expect(await (await call(`/userdata/${to}`)).text()).toBe('{}');
    expect((await call(`/userdata/${to}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call('/userdata?dir=workflows')).status).toBe(404);
    expect((await call(`/userdata/${encodeURIComponent('../a')}`, { method: 'POST', body: '' })).status).toBe(
      403,
    );
  });

  test('its own routes go on working', async () => {
    expect((await call('/api/queue')).status).toBe(200);
    expect((await call('/api/nothing')).status).toBe(404);
    expect((await call('/experiment/models/none')).status).toBe(404);
    expect(await (await call('/experiment/models/checkpoints')).json()).toContainEqual({
      name: 'sd_xl_base_1.0.safetensors',
      pathIndex: 0,
    });
  });
});

test('a folder without an editor is refused at the start', async () => {
  await expect(startSim({ frontEndRoot: join(folder, 'pack') })).rejects.toThrow('no index.html in');
  await expect(startSim({ extensions: { a: join(folder, 'pack') } })).rejects.toThrow('frontEndRoot');
});
