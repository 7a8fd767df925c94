import { expect } from 'vitest';

import { openEvents } from './_event-client.ts';
import type { Calls } from './_openapi-calls.ts';
import { parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

/** The page, and what it asks for beside what programs do. */
export async function callPage(t: TestBridge, { call, note }: Calls): Promise<void> {
  await call('getMe', 200);
  await call('getSettings', 200);
  await call('getSettings', 403, { headers: { 'x-forwarded-for': '192.0.2.1' } });
  await call('followEverything', 401);
  const console = await call('getPage', 200);
  await call('getPage', 304, { headers: { 'if-none-match': console.headers.get('etag') ?? '' } });
  const file = /console\/([\w.-]+\.js)"/.exec(await console.text())?.[1] ?? '';
  await call('getPageFile', 200, { path: { file } });
  await call('getPageFile', 404, { path: { file: 'index.html' } });
  // It goes on for as long as it is read: what stands at its beginning is enough.
  using reader = await openEvents(`${t.url}/api/bridge/events?all=1`);
  expect(reader.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  note('followEverything', reader.status);
}

/** Of a job that has a result. */
export async function callLinks({ call }: Calls, id: string): Promise<void> {
  const path = { id };
  const badId = { path: { id: 'nope' } };
  await call('getJobArchive', 200, { path });
  await call('getJobArchive', 404, badId);
  const link = await call('createLink', 201, { path, body: { expires_in: 60 } });
  await call('createLink', 400, { path, body: { expires_in: 0 } });
  const { token } = await parseBody<{ token: string }>(link);
  for (const [operation, more] of [
    ['openLink', {}],
    ['getLinkedResult', { index: '0' }],
    ['getLinkedArchive', {}],
  ] as const) {
    await call(operation, 200, { path: { token, ...more } });
    await call(operation, 404, { path: { token: 'nope', ...more } });
  }
}
