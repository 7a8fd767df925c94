import { createServer } from 'node:http';

import { expect, test } from 'vitest';

import { createHttpApp } from '../src/http/app.ts';
import { createCors } from '../src/http/cors.ts';
import { createConvertRoutes } from '../src/http/routes/convert.ts';
import { closeServer, listen } from '../src/lib/listen.ts';
import { createLogger } from '../src/logging.ts';
import {
  findFixtureDefinition,
  readEditorAnswer,
  readUiFixture,
} from '../src/workflows/fixtures/ui-fixtures.ts';

/** The route alone: it needs of the bridge only the definitions. */
async function startRoute({ allow = true } = {}): Promise<AsyncDisposable & { url: string }> {
  const router = createConvertRoutes({
    fleet: { findDefinition: findFixtureDefinition },
    mayRunGraphs: () => allow,
  });
  const log = createLogger({ level: 'silent', format: 'json' });
  const app = createHttpApp({
    routers: [router],
    cors: createCors([]),
    trustProxy: false,
    basePath: '',
    log,
  });
  const server = createServer(app);
  const origin = await listen(server, { host: '127.0.0.1', port: 0 });
  return { url: `${origin}/api/bridge/convert`, [Symbol.asyncDispose]: () => closeServer(server, 100) };
}

const send = (url: string, body: string) =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });

test('a workflow as the editor saves it is answered as the editor would send it, seeds digit for digit', async () => {
  await using route = await startRoute();
  const response = await send(route.url, JSON.stringify({ workflow: readUiFixture('subgraph-twice') }));
  expect([response.status, await response.json()]).toEqual([
    200,
    { workflow: readEditorAnswer('subgraph-twice') },
  ]);

  const text = JSON.stringify({ workflow: readUiFixture('text-to-image') });
  const seeds = await send(route.url, text.replaceAll('81726354', '18446744073709551615'));
  expect(await seeds.text()).toContain('"seed":18446744073709551615');
});

test('what cannot be converted is refused with every reason', async () => {
  await using route = await startRoute();
  const workflow = JSON.stringify(readUiFixture('text-to-image')).replaceAll('"CLIPTextEncode"', '"Unknown"');
  const response = await send(route.url, `{"workflow": ${workflow}}`);
  expect([response.status, await response.json()]).toEqual([
    422,
    {
      error: {
        code: 'invalid_workflow',
        message: expect.stringMatching(/node 2 .*no machine has.*\(and 1 more, all in details\.reasons\)/),
        details: { reasons: [expect.stringMatching(/^node 2 /), expect.stringMatching(/^node 3 /)] },
      },
    },
  ]);
});

test.each(['{"workflow": {"1": {"class_type": "A", "inputs": {}}}}', '{}', '[]', '{'])(
  '%s is refused before it is looked at',
  async (body) => {
    await using route = await startRoute();
    const response = await send(route.url, body);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'bad_request' } }]);
  },
);

test('ten megabytes are too much', async () => {
  await using route = await startRoute();
  const response = await send(route.url, ' '.repeat(10 * 1024 * 1024 + 1));
  expect(response.status).toBe(413);
});

test('who may not run graphs may not convert them either', async () => {
  await using route = await startRoute({ allow: false });
  const response = await send(route.url, JSON.stringify({ workflow: readUiFixture('text-to-image') }));
  expect([response.status, await response.json()]).toMatchObject([403, { error: { code: 'forbidden' } }]);
});
