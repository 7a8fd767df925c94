import { expect, test } from 'vitest';

import { createDocumentCache } from './document-cache.ts';

const workflow = (alias: string) => ({ alias, description: '', inputSchema: { type: 'object' } });

function start() {
  const state = { list: [workflow('one')], version: 1, described: 0 };
  const read = createDocumentCache({
    version: '1',
    keysRequired: false,
    revision: () => [state.list, state.version],
    describe() {
      state.described += 1;
      return state.list;
    },
  });
  return { state, read };
}

test('a document is written once for each way to reach the bridge', () => {
  const { state, read } = start();
  const first = read({ server: 'http://a', workflows: 'all' });
  expect(read({ server: 'http://a', workflows: 'all' })).toBe(first);
  expect(state.described).toBe(1);
  const other = read({ server: 'http://b', workflows: 'all' });
  expect(other.etag).not.toBe(first.etag);
  expect(JSON.parse(other.text)).toMatchObject({ servers: [{ url: 'http://b' }] });
});

test('it is made anew when the workflows change, or what the fleet knows of their nodes', () => {
  const { state, read } = start();
  const first = read({ server: 'http://a', workflows: 'all' });
  state.version = 2;
  expect(read({ server: 'http://a', workflows: 'all' })).toEqual(first);
  expect(state.described).toBe(2);
  state.list = [workflow('two')];
  const changed = read({ server: 'http://a', workflows: 'all' });
  expect(changed.etag).not.toBe(first.etag);
  expect(changed.text).toContain('/api/bridge/workflows/two/jobs');
  expect(changed.text).not.toContain('/api/bridge/workflows/one/jobs');
});

test('a caller that makes up names of the bridge does not fill its memory', () => {
  const { state, read } = start();
  const first = read({ server: 'http://a', workflows: 'all' });
  for (let name = 0; name < 8; name += 1) read({ server: `http://made-up-${name}`, workflows: 'all' });
  const again = read({ server: 'http://a', workflows: 'all' });
  expect(again).toEqual(first);
  expect(again).not.toBe(first);
  expect(state.described).toBe(1);
});
