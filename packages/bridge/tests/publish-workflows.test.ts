import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { workflowDetailSchema } from '@comfy-bridge/protocol';
import sharp from 'sharp';
import { expect, test } from 'vitest';

import { readJob, readRefusal, send } from './_named.ts';
import {
  fileOf,
  graphOf,
  listAliases,
  makeFolder,
  publish,
  put,
  readPublished,
  remove,
  restore,
  versionsOf,
  widthOf,
} from './_publish.ts';
import { parseBody, rawConnection, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { startWorld } from './_world.ts';

const picture = (format: 'png' | 'jpeg' | 'webp' | 'gif' = 'png', width = 32) =>
  sharp({ create: { width, height: 32, channels: 3, background: 'teal' } })
    .toFormat(format)
    .toBuffer();
const readAliases = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(path, 'workflow_alias.json'), 'utf8'));

test('a workflow is published, shown at once, updated, taken out and had back', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ env: folder.env });
  const answer = await put(t, 'empty', { workflow: graphOf(64), description: 'Nothing yet.' });
  expect(answer.headers.get('location')).toBe('/api/bridge/workflows/empty');
  const first = await readPublished(answer, 201);
  expect(first).toMatchObject({
    alias: 'empty',
    file: 'empty.json',
    description: 'Nothing yet.',
    problems: [],
    can_run: true,
    obstacles: null,
    backends: [{ backend: 'backend-1', can_run: true, reason: null, lacks: [] }],
    urls: {
      self: '/api/bridge/workflows/empty',
      jobs: '/api/bridge/workflows/empty/jobs',
      thumbnail: null,
      file: '/api/bridge/workflows/empty/file',
      versions: '/api/bridge/workflows/empty/versions',
    },
  });
  expect(first.inputs.map(({ key }) => key)).toEqual(['10/width', '10/height']);
  expect(await listAliases(t)).toEqual(['empty']);
  await readJob(send(t, {}, { workflow: 'empty' }));

  const second = await publish(t, 'empty', { workflow: graphOf(128), previous: first.version }, 200);
  expect(second.description).toBe('Nothing yet.');
  expect(await widthOf(t, 'empty')).toBe(128);
  const { current, versions } = await versionsOf(t, 'empty');
  expect(current).toBe(second.version);
  expect(versions.map(({ version, is_current }) => [version, is_current])).toEqual([
    [second.version, true],
    [first.version, false],
  ]);
  expect(versions[0]).toMatchObject({ by: expect.stringMatching(/^[\w-]{16}$/), source: 'publish' });

  expect((await readPublished(restore(t, 'empty', first.version))).version).toBe(first.version);
  expect(await widthOf(t, 'empty')).toBe(64);
  expect((await remove(t, 'empty')).status).toBe(204);
  expect(await listAliases(t)).toEqual([]);
  expect(await readdir(folder.path)).toEqual(['workflow_alias.json']);
  expect((await readRefusal(remove(t, 'empty'))).status).toBe(404);
  expect(await versionsOf(t, 'empty')).toMatchObject({ current: null });
  expect((await readPublished(restore(t, 'empty', second.version), 201)).version).toBe(second.version);
  expect(await widthOf(t, 'empty')).toBe(128);
  expect(t.errors).toEqual([]);
});

test('the file is the one that was sent: order of nodes, 7.0 and 64-bit integers', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const workflow =
    '{"10":{"class_type":"KSampler","inputs":{"cfg":7.0,"seed":18446744073709551615},"_meta":{"apiinput":"cfg,seed"}},"9":{"class_type":"X","inputs":{}}}';
  await publish(t, 'exact', `{"description": "d", "workflow": ${workflow}}`);
  const text = await fileOf(t, 'exact');
  expect(text.replaceAll(/\s/g, '')).toBe(workflow);
  expect(text).toBe(await readFile(join(folder.path, 'exact.json'), 'utf8'));
  const { inputs } = workflowDetailSchema.parse(await parseBody(t.get('/api/bridge/workflows/exact')));
  expect(inputs.map(({ type }) => type)).toEqual(['float', 'int']);
});

test('a large workflow is published as it is; one beyond what a file may have is refused', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: { ...folder.env, MAX_JSON_SIZE: '20' } });
  const nodes = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `n${index}`,
        { class_type: 'X', inputs: { text: 'x'.repeat(990) } },
      ]),
    );
  await publish(t, 'large', { workflow: nodes(8_000) });
  expect(JSON.parse(await fileOf(t, 'large'))).toEqual(nodes(8_000));
  const refusal = await readRefusal(put(t, 'larger', { workflow: nodes(11_000) }));
  expect(refusal).toMatchObject({ status: 413, code: 'too_large' });
  expect(await listAliases(t)).toEqual(['large']);
});

test('what the editor saves is converted, with its marks; what cannot be is refused with the reasons', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ env: folder.env });
  const saved = {
    version: 0.4,
    nodes: [
      {
        id: 1,
        type: 'LoadImage',
        mode: 0,
        outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
        widgets_values: ['sample_a.png', 'image'],
        properties: { apiInputs: { v: 1, inputs: [{ name: 'image', label: 'Picture' }] } },
      },
      {
        id: 2,
        type: 'SaveImage',
        mode: 0,
        inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
        widgets_values: ['x'],
      },
      { id: 3, type: 'Note', mode: 0, properties: { apiInputs: { v: 1, inputs: [] } } },
    ],
    links: [[1, 1, 0, 2, 0, 'IMAGE']],
  };
  const { inputs, problems } = await publish(t, 'saved', { workflow: saved });
  expect(inputs.map(({ key, label }) => [key, label])).toEqual([['1/image', 'Picture']]);
  expect(problems).toEqual([expect.stringContaining('node "3": its marks were not taken over')]);
  const unknown = { ...saved, nodes: [{ ...saved.nodes[0], type: 'Nobody' }, saved.nodes[1]] };
  const refusal = await readRefusal(put(t, 'other', { workflow: unknown }));
  expect(refusal).toMatchObject({ status: 422, code: 'invalid_workflow' });
  expect(refusal.details?.['reasons']).not.toEqual([]);
});

test.each([
  ['no nodes', {}, 422],
  ['no workflow', { '1': { inputs: {} } }, 422],
  ['a node that is none', { '1': 7 }, 422],
])(
  'a workflow with %s is refused with the reason, and nothing is written',
  async (_what, workflow, status) => {
    await using folder = await makeFolder();
    await using t = await startBridge({ sims: 0, env: folder.env });
    const refusal = await readRefusal(put(t, 'x', { workflow }));
    expect(refusal).toMatchObject({ status, code: 'invalid_workflow' });
    expect(refusal.details?.['reasons']).toHaveLength(1);
    expect(await readdir(folder.path)).toEqual([]);
  },
);

test('marks that cannot work, and what a ComfyUI lacks, are told; it is published nevertheless', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ env: folder.env });
  const workflow = {
    '1': { class_type: 'Unheard', inputs: { a: 1 }, _meta: { apiinput: 'a,b' } },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
  };
  expect(await publish(t, 'odd', { workflow })).toMatchObject({
    problems: ['node "1": input "b" is marked but the node has no such input'],
    can_run: false,
    obstacles: expect.stringContaining('Unheard'),
    backends: [
      {
        can_run: false,
        reason: expect.stringContaining('Unheard'),
        lacks: [{ class_type: 'Unheard', input: null, value: null }],
      },
    ],
  });
  expect(await listAliases(t)).toEqual(['odd']);
});

test('who knows another version than the published one is refused, and nothing changes', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const { version } = await publish(t, 'w', { workflow: graphOf(1), previous: null });
  const now = await publish(t, 'w', { workflow: graphOf(2), previous: version }, 200);
  const attempts = [
    put(t, 'w', { workflow: graphOf(3), previous: version }),
    put(t, 'w', { workflow: graphOf(3), previous: null }),
    put(t, 'w', { workflow: graphOf(3) }, { 'if-match': `"${version}"` }),
    put(t, 'w', { workflow: graphOf(3) }, { 'if-none-match': '*' }),
    put(t, 'gone', { workflow: graphOf(3) }, { 'if-match': '*' }),
    remove(t, 'w', { 'if-match': `"${version}"` }),
  ];
  for (const [index, answer] of attempts.entries()) {
    const current = index === 4 ? null : now.version;
    expect(await readRefusal(answer)).toMatchObject({ status: 409, code: 'conflict', details: { current } });
  }
  expect(await widthOf(t, 'w')).toBe(2);
  // A file that was edited by hand is another version as well.
  await folder.write('w.json', JSON.stringify(graphOf(4)));
  const late = await readRefusal(put(t, 'w', { workflow: graphOf(3), previous: now.version }));
  expect(late.code).toBe('conflict');
  expect((await remove(t, 'w', { 'if-match': '*' })).status).toBe(204);
});

test('of several at once that all mean the same version, one is published', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const { version } = await publish(t, 'w', { workflow: graphOf(1) });
  const answers = await Promise.all(
    [2, 3, 4, 5, 6].map((width) => put(t, 'w', { workflow: graphOf(width), previous: version })),
  );
  expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409', '409', '409', '409']);
  expect(await widthOf(t, 'w')).toBe(2 + answers.findIndex(({ status }) => status === 200));
  const others = await Promise.all(
    Array.from({ length: 8 }, (_, index) => put(t, `w${index}`, { workflow: graphOf(index) })),
  );
  expect(others.map(({ status }) => status)).toEqual(Array(8).fill(201));
  expect(await listAliases(t)).toEqual(['w', 'w0', 'w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7']);
});

test.each(['../x', 'a/b', 'a\\b', '..\\x', 'a\u0000b', 'a\nb', ' ', 'x'.repeat(200), 'a\u202Eb'])(
  'the alias %j is refused, and nothing is written',
  async (alias) => {
    await using folder = await makeFolder();
    await using t = await startBridge({ sims: 0, env: folder.env });
    const refusal = await readRefusal(put(t, alias, { workflow: graphOf(1) }));
    expect(refusal).toMatchObject({ status: 400, code: 'bad_request' });
    for (const path of ['/file', '/versions'])
      expect((await t.get(`/api/bridge/workflows/${encodeURIComponent(alias)}${path}`)).status).toBe(400);
    expect((await remove(t, alias)).status).toBe(400);
    expect(await readdir(folder.path)).toEqual([]);
  },
);

test.each(['.', '..'])('the alias %j is refused even when the URL holds it as it is', async (alias) => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  using connection = rawConnection(t);
  const body = JSON.stringify({ workflow: graphOf(1) });
  connection.socket.write(
    `PUT /api/bridge/workflows/${alias} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await connection.received).toMatch(/^HTTP\/1.1 400 [^]*neither/);
  expect(await readdir(folder.path)).toEqual([]);
});

test.each([
  'CON',
  'nul.json',
  '그림 그리기',
  '🎨',
  'x'.repeat(128),
  '__proto__',
  'workflow_alias',
  '%2e%2e',
  '-rf *',
  '...',
])('the alias %j is published in a file of a safe name, and found by it', async (alias) => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const { file, version } = await publish(t, alias, { workflow: graphOf(1) });
  expect(await readdir(folder.path)).toEqual([file, 'workflow_alias.json'].toSorted());
  expect(file).toMatch(/^[\p{L}\p{N}_][^/\\:*?"<>|]*\.json$/u);
  expect(file).not.toMatch(/^(con|nul)\./i);
  expect(await readAliases(folder.path)).toEqual([{ alias, fn: file, description: '' }]);
  expect(await listAliases(t)).toEqual([alias]);
  expect(await widthOf(t, alias)).toBe(1);
  expect((await publish(t, alias, { workflow: graphOf(2) }, 200)).file).toBe(file);
  expect((await readPublished(restore(t, alias, version))).alias).toBe(alias);
  expect((await remove(t, alias)).status).toBe(204);
});

test('an alias that can be taken for another one is refused; another name beside a file leaves that alone', async () => {
  await using folder = await makeFolder({ samples: true });
  await using t = await startBridge({ sims: 0, env: folder.env });
  const refusal = await readRefusal(put(t, 'Upscale', { workflow: graphOf(1) }));
  expect(refusal).toMatchObject({ code: 'conflict', message: expect.stringContaining('"upscale"') });
  await publish(t, '그림', { workflow: graphOf(1) });
  // The same, as macOS writes it.
  expect((await publish(t, '그림'.normalize('NFD'), { workflow: graphOf(2) }, 200)).alias).toBe('그림');
  const before = await readFile(join(folder.path, 'batch.json'), 'utf8');
  const { file } = await publish(t, 'batch.json', { workflow: graphOf(3) });
  expect(file).toMatch(/^batch-[0-9a-f]{8}\.json$/);
  expect(await readFile(join(folder.path, 'batch.json'), 'utf8')).toBe(before);
});

test('files that were put there by hand keep their name, and what people wrote stays', async () => {
  await using folder = await makeFolder();
  const aliases =
    '[\n\t{ "fn": "My File.JSON", "alias": "mine", "note": "of Kim" },\n\t{ "alias": "twin", "fn": "shared.json" },\n\t{ "alias": "other", "fn": "shared.json" }\n]\n';
  await folder.write('My File.JSON', JSON.stringify(graphOf(1)));
  await folder.write('shared.json', JSON.stringify(graphOf(2)));
  await folder.write('bare.json', JSON.stringify(graphOf(3)));
  await folder.write('workflow_alias.json', aliases);
  await using t = await startBridge({ sims: 0, env: folder.env });
  const { versions } = await versionsOf(t, 'mine');
  expect(versions).toMatchObject([{ is_current: true, by: null, source: 'folder' }]);

  expect((await publish(t, 'mine', { workflow: graphOf(11), description: 'New' }, 200)).file).toBe(
    'My File.JSON',
  );
  expect((await publish(t, 'bare', { workflow: graphOf(13) }, 200)).file).toBe('bare.json');
  expect(await readFile(join(folder.path, 'workflow_alias.json'), 'utf8')).toBe(
    aliases
      .replace('"of Kim"', '"of Kim", "description": "New"')
      .replace(
        '"shared.json" }\n',
        '"shared.json" },\n\t{ "alias": "bare", "fn": "bare.json", "description": "" }\n',
      ),
  );
  // What was there can be had back.
  expect((await versionsOf(t, 'mine')).versions.map(({ source }) => source)).toEqual(['publish', 'folder']);
  await readPublished(restore(t, 'mine', versions[0]?.version ?? ''));
  expect(await widthOf(t, 'mine')).toBe(1);

  // One of two aliases over one file: the other one stays as it is.
  expect((await publish(t, 'twin', { workflow: graphOf(12) }, 200)).file).toBe('twin.json');
  expect(await widthOf(t, 'other')).toBe(2);
  for (const alias of ['mine', 'bare', 'other', 'twin']) expect((await remove(t, alias)).status).toBe(204);
  expect(await readAliases(folder.path)).toEqual([]);
  expect((await readdir(folder.path)).toSorted()).toEqual(['workflow_alias.json']);
});

test('a file of aliases that cannot be read is left alone', async () => {
  await using folder = await makeFolder();
  await folder.write('workflow_alias.json', '[{"alias": "a", ]');
  await using t = await startBridge({ sims: 0, env: folder.env });
  const refusal = await readRefusal(put(t, 'w', { workflow: graphOf(1) }));
  expect(refusal).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('workflow_alias.json'),
  });
  expect(await readdir(folder.path)).toEqual(['workflow_alias.json']);
});

test('an entry whose file is no workflow of the folder never leads a writer there', async () => {
  await using folder = await makeFolder();
  await folder.write(
    'workflow_alias.json',
    '[{"alias": "a", "fn": "workflow_alias.json"}, {"alias": "b", "fn": "b.txt"}]',
  );
  await using t = await startBridge({ sims: 0, env: folder.env });
  for (const alias of ['a', 'b'])
    expect((await publish(t, alias, { workflow: graphOf(1) })).file).toBe(`${alias}.json`);
  expect(await listAliases(t)).toEqual(['a', 'b']);
});

test('a thumbnail comes with a workflow, stays, is replaced, restored and removed', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const shown = async () => {
    const answer = await t.get('/api/bridge/workflows/w/thumbnail');
    return answer.status === 200 ? answer.headers.get('content-type') : answer.status;
  };
  const base64 = async (format: 'png' | 'jpeg' | 'webp') => (await picture(format)).toString('base64');
  const first = await publish(t, 'w', { workflow: graphOf(1), thumbnail: await base64('png') });
  expect(first.urls.thumbnail).toBe('/api/bridge/workflows/w/thumbnail');
  expect(await shown()).toBe('image/png');
  await publish(t, 'w', { workflow: graphOf(2) }, 200);
  expect(await shown()).toBe('image/png');
  await publish(t, 'w', { workflow: graphOf(2), thumbnail: await base64('webp') }, 200);
  expect(await shown()).toBe('image/webp');
  await publish(t, 'w', { workflow: graphOf(2), thumbnail: await base64('jpeg') }, 200);
  expect(await shown()).toBe('image/jpeg');
  expect(await readdir(join(folder.path, 'thumbnail'))).toHaveLength(1);
  await publish(t, 'w', { workflow: graphOf(2), thumbnail: null }, 200);
  expect(await shown()).toBe(404);
  await readPublished(restore(t, 'w', first.version));
  expect(await shown()).toBe('image/png');
  await remove(t, 'w');
  expect(await readdir(join(folder.path, 'thumbnail'))).toEqual([]);
});

test('a thumbnail is made small, and says nothing of the graph that made it', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const large = await sharp(await picture('png', 2_000))
    .withExif({ IFD0: { ImageDescription: 'the whole graph' } })
    .png()
    .toBuffer();
  expect(large.toString('latin1')).toContain('the whole graph');
  const thumbnail = large.toString('base64');
  const { version } = await publish(t, 'w', { workflow: graphOf(1), thumbnail });
  const answer = await t.get('/api/bridge/workflows/w/thumbnail');
  const shown = Buffer.from(await answer.arrayBuffer());
  expect(await sharp(shown).metadata()).toMatchObject({ format: 'png', width: 512 });
  expect(shown.toString('latin1')).not.toContain('the whole graph');
  // The same again is the same.
  expect((await publish(t, 'w', { workflow: graphOf(1), thumbnail }, 200)).version).toBe(version);
});

test('a picture that people put there stays in the folder when another one takes its place', async () => {
  await using folder = await makeFolder({ samples: true });
  await using t = await startBridge({ sims: 0, env: folder.env });
  const before = await readdir(join(folder.path, 'thumbnail'));
  await publish(t, 'upscale', { workflow: graphOf(1), thumbnail: (await picture()).toString('base64') }, 200);
  await remove(t, 'blend');
  expect(await readdir(join(folder.path, 'thumbnail'))).toEqual(expect.arrayContaining(before));
});

test.each([
  ['is no base64', async () => 'not base64!', 'base64'],
  ['is empty', async () => '', 'no PNG'],
  ['is text', async () => Buffer.from('hello').toString('base64'), 'no PNG'],
  ['is an SVG', async () => Buffer.from('<svg onload="alert(1)"/>').toString('base64'), 'no PNG'],
  ['is a GIF', async () => (await picture('gif')).toString('base64'), 'no PNG'],
  ['is cut off', async () => (await picture('png', 900)).subarray(0, -30).toString('base64'), 'thumbnail'],
  [
    'has a program behind it',
    async () => Buffer.concat([await picture(), Buffer.from('MZ\x90\0#!/bin/sh\nexit')]).toString('base64'),
    'thumbnail',
  ],
  ['is too large', async () => Buffer.alloc(2 * 1024 * 1024 + 1).toString('base64'), 'larger'],
])('a thumbnail that %s is refused, and nothing is published', async (_what, make, reason) => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const refusal = await readRefusal(put(t, 'w', { workflow: graphOf(1), thumbnail: await make() }));
  expect(refusal).toMatchObject({ status: 400, message: expect.stringContaining(reason) });
  expect(await readdir(folder.path)).toEqual([]);
});

test('only operators publish; pages of a listed origin may, with the token', async () => {
  await using folder = await makeFolder();
  const origin = 'http://192.0.2.7:8188';
  const env = { ...folder.env, OPERATOR_TOKEN: 'a-token-of-an-operator', CORS_ORIGINS: origin };
  await using t = await startBridge({ sims: 0, env });
  const body = { workflow: graphOf(1) };
  expect((await put(t, 'w', body)).status).toBe(401);
  expect((await put(t, 'w', body, { authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await remove(t, 'w')).status).toBe(401);
  for (const path of ['file', 'versions'])
    expect((await t.get(`/api/bridge/workflows/w/${path}`)).status).toBe(401);
  expect((await restore(t, 'w', 'x')).status).toBe(401);
  const preflight = await t.get('/api/bridge/workflows/w', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization,content-type,if-match',
    },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
  expect(preflight.headers.get('access-control-allow-methods')).toMatch(/PUT.*DELETE/);
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Authorization.*If-Match/);
  const published = await put(t, 'w', body, { origin, authorization: 'Bearer a-token-of-an-operator' });
  expect(published.status).toBe(201);
  expect(published.headers.get('access-control-allow-origin')).toBe(origin);
  expect(published.headers.get('access-control-expose-headers')).toContain('ETag');
  expect(await readdir(folder.path)).toHaveLength(2);
});

test.each([
  ['no body', ''],
  ['no workflow', '{}'],
  ['a workflow that is a list', '{"workflow": []}'],
  ['a field that is not known', '{"workflow": {}, "extra": 1}'],
  ['a description that is too long', JSON.stringify({ workflow: {}, description: 'x'.repeat(2_001) })],
])('%s is refused', async (_what, body) => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  expect(await readRefusal(put(t, 'w', body))).toMatchObject({ status: 400, code: 'bad_request' });
});

test('a body beyond MAX_JSON_SIZE is refused', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: { ...folder.env, MAX_JSON_SIZE: '0.01' } });
  const refusal = await readRefusal(put(t, 'w', { workflow: graphOf(1), thumbnail: 'A'.repeat(20_000) }));
  expect(refusal).toMatchObject({ status: 413, code: 'too_large' });
});

test.runIf(process.platform === 'linux')('a folder that cannot be written is told in words', async () => {
  await using folder = await makeFolder();
  // Nobody may make a file there, not even root.
  const env = { WORKFLOW_DIR: '/sys/kernel', WORKFLOW_ALIAS: join(folder.path, 'aliases.json') };
  await using t = await startBridge({ sims: 0, env });
  const refusal = await readRefusal(put(t, 'w', { workflow: graphOf(1) }));
  expect(refusal).toMatchObject({ status: 503, message: expect.stringContaining('WORKFLOW_DIR') });
  expect(await readdir(folder.path)).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('the next process knows what was published, and its versions', async () => {
  await using folder = await makeFolder();
  await using world = await startWorld();
  const widths = [1, 2, 3];
  const published: string[] = [];
  for (const width of widths) {
    await using t = await world.start({ env: folder.env });
    published.unshift((await publish(t, 'w', { workflow: graphOf(width) }, width === 1 ? 201 : 200)).version);
  }
  await using t = await world.start({ env: folder.env });
  expect((await versionsOf(t, 'w')).versions.map(({ version }) => version)).toEqual(published);
  await readPublished(restore(t, 'w', published.at(-1) ?? ''));
  expect(await widthOf(t, 'w')).toBe(1);
});

test('the last ten versions are kept; what is published again is not kept twice', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const published: string[] = [];
  for (let width = 1; width <= 13; width += 1)
    published.unshift((await publish(t, 'w', { workflow: graphOf(width) }, width === 1 ? 201 : 200)).version);
  const list = async () => (await versionsOf(t, 'w')).versions.map(({ version }) => version);
  expect(await list()).toEqual(published.slice(0, 10));
  await readPublished(restore(t, 'w', published[9] ?? ''));
  expect(await list()).toEqual([published[9], ...published.slice(0, 9)]);
  expect(await readRefusal(restore(t, 'w', published[12] ?? ''))).toMatchObject({ status: 404 });
  expect(await readRefusal(restore(t, 'w', '../../x'))).toMatchObject({ status: 404 });
  expect(await readRefusal(restore(t, 'nobody', 'x'))).toMatchObject({ status: 404 });
});

test('under a base path every link holds it', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: { ...folder.env, BASE_PATH: '/comfy' } });
  const { urls } = await publish(t, 'w', {
    workflow: graphOf(1),
    thumbnail: (await picture()).toString('base64'),
  });
  const { origin } = new URL(t.url);
  for (const link of [urls.self, urls.thumbnail, urls.file, urls.versions]) {
    expect(link).toMatch(/^\/comfy\//);
    expect((await fetch(`${origin}${link}`, { headers: { connection: 'close' } })).status).toBe(200);
  }
  const { versions } = await versionsOf(t, 'w');
  expect(versions[0]?.urls.restore).toMatch(/^\/comfy\/api\/bridge\/workflows\/w\/versions\/\w+\/restore$/);
});

test('a job that was sent before an update runs the graph as it was', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ env: folder.env });
  await publish(t, 'w', { workflow: graphOf(64) });
  await submit(t, 'one', { workflow: 'w' });
  const first = await t.sim.nextPrompt();
  const { id } = await readJob(send(t, {}, { workflow: 'w' }));
  await publish(t, 'w', { workflow: graphOf(128) }, 200);
  const sent: unknown = await parseBody(t.get(`/api/v2/jobs/${id}/workflow`));
  expect(JSON.stringify(sent)).toContain('"width":64');
  const finished = t.nextEvent('job:finished', ({ job }) => job.id === id);
  await first.finish({ images: 1 });
  const second = await t.sim.nextPrompt();
  expect(JSON.stringify(second.prompt)).toContain('"width":64');
  await second.finish({ images: 1 });
  expect((await finished).job.state.status).toBe('succeeded');
  const later = await readJob(send(t, {}, { workflow: 'w' }));
  expect(JSON.stringify(await parseBody(t.get(`/api/v2/jobs/${later.id}/workflow`)))).toContain(
    '"width":128',
  );
});

test('who has the file is told so, and the file keeps the mode that its operator gave it', async () => {
  await using folder = await makeFolder();
  await using t = await startBridge({ sims: 0, env: folder.env });
  const { version } = await publish(t, 'w', { workflow: graphOf(1) });
  const path = join(folder.path, 'w.json');
  await chmod(path, 0o640);
  await publish(t, 'w', { workflow: graphOf(2) }, 200);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  const etag = { 'if-none-match': `"${version}"` };
  expect((await t.get('/api/bridge/workflows/w/file', { headers: etag })).status).toBe(200);
  await readPublished(restore(t, 'w', version));
  expect((await t.get('/api/bridge/workflows/w/file', { headers: etag })).status).toBe(304);
});
