import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import { askHttp } from '../src/outside/ask-http.ts';
import { runIn } from './_cli.ts';

interface Heard {
  method: string | undefined;
  url: string | undefined;
  body: string;
}

/** A ComfyUI that gives one answer to everything. */
async function startComfy(status: number, body: unknown) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      heard.push({ method: request.method, url: request.url, body: text });
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    heard,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

const world = { payload: '/nowhere', host: { ask: askHttp } };

test('pause tells the machine for how long, and says until when', async () => {
  await using comfy = await startComfy(200, {
    state: 'paused',
    reason: 'command',
    until: '2026-01-02T04:00:00Z',
  });
  const { out, code } = await runIn(world, 'pause', '--url', `${comfy.url}/`, '--minutes', '30');
  expect(comfy.heard).toEqual([{ method: 'POST', url: '/comfy-bridge/pause', body: '{"minutes":30}' }]);
  expect(out).toBe('Lending is paused until 2026-01-02T04:00:00Z.\n');
  expect(code).toBe(0);
});

test('resume says that it is lent again, to programs too', async () => {
  await using comfy = await startComfy(200, { state: 'available', reason: null, until: null });
  expect((await runIn(world, 'resume', '--url', comfy.url)).out).toBe('This machine is lent again.\n');
  const { out } = await runIn(world, 'resume', '--url', comfy.url, '--json');
  expect(JSON.parse(out)).toEqual({
    ok: true,
    command: 'resume',
    state: 'available',
    reason: null,
    until: null,
  });
});

test.each([
  [403, { error: 'forbidden' }, 'lets only its owner do that'],
  [404, 'not found', 'is not in donor mode'],
  [405, '', 'is not in donor mode'],
  [429, '', 'too often'],
  [200, '<html>', 'is not donor mode’s'.replace('’', "'")],
  [500, '', 'is not donor mode'],
])('an answer %i is explained', async (status, body, says) => {
  await using comfy = await startComfy(status, body);
  const { code, err } = await runIn(world, 'pause', '--url', comfy.url);
  expect(code).toBe(1);
  expect(err).toContain(says);
});

test('nobody there, and nobody answering, are told apart', async () => {
  const comfy = await startComfy(200, {});
  await comfy[Symbol.asyncDispose]();
  expect((await runIn(world, 'pause', '--url', comfy.url)).err).toContain('Nothing answers');
  const silent = { payload: '/nowhere', answer: { kind: 'timed-out' as const } };
  expect((await runIn(silent, 'pause')).err).toContain('did not answer within 5 seconds');
});

test('a server that never answers is given up at the deadline', async () => {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await askHttp({ url: `http://127.0.0.1:${port}`, method: 'GET', timeoutMs: 50 });
  expect(answer).toEqual({ kind: 'timed-out' });
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test.each([
  ['--url', 'ftp://x'],
  ['--url', 'http://user:secret@x'],
  ['--minutes', '0'],
  ['--minutes', '-1'],
  ['--minutes', '99999'],
  ['--minutes', 'x'],
])('%s %s is wrong usage', async (option, value) => {
  expect(await runIn(world, 'pause', `${option}=${value}`)).toMatchObject({ code: 2 });
});
