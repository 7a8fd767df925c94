import { expect, test } from 'vitest';

import { createPageReader } from './page-reader.ts';

/** A reader whose connection takes frames while `keepsUp`. */
function openReader(maxWaiting?: number) {
  const sent: string[] = [];
  const line = { keepsUp: true };
  const stream = {
    get keepsUp() {
      return line.keepsUp;
    },
    send: (frame: Buffer) => void sent.push(frame.toString()),
    end: () => {},
  };
  const reader = createPageReader({
    ...{ stream, viewer: { origin: 'http://x', identity: undefined }, account: 'a' },
    ...{ seesAll: false, previews: false, hello: () => Buffer.from('hello') },
    ...(maxWaiting !== undefined && { maxWaiting }),
  });
  const offer = (key: string, text: string) => reader.offer(key, () => Buffer.from(text));
  return { reader, sent, line, offer };
}

test('who is behind is told the newest of each thing once it has caught up, in the order in which it happened', () => {
  const { reader, sent, line, offer } = openReader();
  line.keepsUp = false;
  offer('job:1', 'one, running');
  offer('job:2', 'two, running');
  offer('job:1', 'one, done');
  expect(reader.flush()).toBe(true);
  expect(sent).toEqual([]);
  line.keepsUp = true;
  expect(reader.flush()).toBe(false);
  expect(sent).toEqual(['two, running', 'one, done']);
  reader.flush();
  expect(sent).toHaveLength(2);
});

test('what waits has a bound: the oldest goes, and the reader is told to read the lists again', () => {
  const { reader, sent, line, offer } = openReader(2);
  line.keepsUp = false;
  for (const id of ['1', '2', '3']) offer(`job:${id}`, id);
  line.keepsUp = true;
  reader.flush();
  expect(sent).toEqual(['2', '3', 'hello']);
  offer('job:4', '4');
  reader.flush();
  expect(sent).toEqual(['2', '3', 'hello', '4']);
});

test('what is not true any more, or has nothing to tell, is not told', () => {
  const { reader, sent, offer } = openReader();
  offer('progress:1', 'half');
  reader.withdraw('progress:1');
  reader.offer('job:1', () => undefined);
  expect(reader.flush()).toBe(false);
  expect(sent).toEqual([]);
});

test('of a long line, only as much is sent as the reader takes', () => {
  const { reader, sent, line } = openReader();
  for (const id of ['1', '2', '3'])
    reader.offer(id, () => {
      line.keepsUp = id !== '2';
      return Buffer.from(id);
    });
  expect(reader.flush()).toBe(true);
  expect(sent).toEqual(['1', '2']);
});
