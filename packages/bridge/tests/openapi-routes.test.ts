import { expect, test } from 'vitest';

import { listOperations, parseDocument } from './_openapi-document.ts';
import { createAnswerChecker } from './_openapi.ts';
import { parseBody, upgrade } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

test('every route of the bridge is in its document, and every operation of the document is routed', async () => {
  await using t = await startBridge();
  const document = parseDocument(await parseBody(t.get('/openapi.json?workflows=none')));
  const documented = listOperations(document).map(({ method, path }) => `${method} ${path}`);
  const routed = t.bridge.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  // The gateway's: it is no route of Express.
  expect((await upgrade(`${t.wsUrl}/ws?clientId=one`)).status).toBe(101);
  expect(documented.toSorted()).toEqual([...routed, 'get /ws'].toSorted());
});

test('every published workflow has an operation of its own, with its inputs', async () => {
  await using t = await startBridge();
  const aliases = t.bridge.workflows.list().map(({ alias }) => alias);
  const { paths } = parseDocument(await parseBody(t.get('/openapi.json')));
  for (const alias of aliases)
    expect(paths[`/api/bridge/workflows/${encodeURIComponent(alias)}/jobs`]?.['post']).toBeDefined();
  expect(paths['/api/bridge/workflows/text-to-image/jobs']?.['post']).toMatchObject({
    operationId: 'runTextToImage',
    requestBody: {
      content: {
        'application/json': {
          schema: { properties: { inputs: { properties: { prompt: { type: 'string' } } } } },
        },
      },
    },
  });
  const without = parseDocument(await parseBody(t.get('/openapi.json?workflows=none')));
  expect(Object.keys(without.paths)).toHaveLength(Object.keys(paths).length - aliases.length);
});

test('each workflow takes the example of its own operation, and answers a job as it says', async () => {
  await using t = await startBridge();
  const document = parseDocument(await parseBody(t.get('/openapi.json')));
  const { findUndocumented } = createAnswerChecker(document);
  const own = listOperations(document).filter(({ path }) =>
    /^\/api\/bridge\/workflows\/[^/{]+\/jobs$/.test(path),
  );
  expect(own).toHaveLength(t.bridge.workflows.list().length);
  for (const { path, operation } of own) {
    const answer = await t.post(path, operation.requestBody?.content['application/json']?.example);
    const body = Buffer.from(await answer.arrayBuffer());
    expect(answer.status, body.toString()).toBe(201);
    const { status, headers } = answer;
    expect(findUndocumented('post', path, { status, headers: Object.fromEntries(headers), body })).toEqual(
      [],
    );
  }
});

test('operation ids are unique, and are names that any language takes', async () => {
  await using t = await startBridge();
  const ids = listOperations(parseDocument(await parseBody(t.get('/openapi.json')))).map(
    ({ operation }) => operation.operationId,
  );
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z][A-Za-z0-9_]*$/.test(id))).toEqual([]);
});

test('limits of 64 bit stand in the document digit for digit', async () => {
  await using t = await startBridge();
  expect(await (await t.get('/openapi.json')).text()).toContain('"maximum":18446744073709551615');
});

test('the document says how its reader reaches the bridge, with the base path', async () => {
  await using t = await startBridge({ env: { BASE_PATH: '/comfy' } });
  expect(await parseBody(t.get('/openapi.json'))).toMatchObject({ servers: [{ url: t.url }] });
  expect(t.url).toMatch(/\/comfy$/);
});

test('who has the document is told so', async () => {
  await using t = await startBridge();
  const first = await t.get('/openapi.json');
  const etag = first.headers.get('etag') ?? '';
  await first.arrayBuffer();
  const again = await t.get('/openapi.json', { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe('');
  const other = await t.get('/openapi.json?workflows=none', { headers: { 'if-none-match': etag } });
  expect(other.status).toBe(200);
  await other.arrayBuffer();
});

test('an unknown choice of workflows is refused', async () => {
  await using t = await startBridge();
  const answer = await t.get('/openapi.json?workflows=some');
  expect(answer.status).toBe(400);
  expect(await answer.json()).toEqual({ detail: 'workflows is all or none' });
});
