import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createSseParser } from './sse-parser.ts';
import type { ServerSentEvent } from './sse-parser.ts';

function parse(...chunks: (string | Uint8Array)[]): ServerSentEvent[] {
  const parser = createSseParser();
  return chunks.flatMap((chunk) =>
    parser.push(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk),
  );
}

const one = (data: string, event = 'message', id = '') => ({ data, event, id });

describe('what the standard says', () => {
  test.each<[string, string, ServerSentEvent[]]>([
    ['an event', 'event: add\ndata: 73857293\n\n', [one('73857293', 'add')]],
    ['data of several lines', 'data: YHOO\ndata: +2\ndata: 10\n\n', [one('YHOO\n+2\n10')]],
    [
      'comments, ids, an id that is taken back, and one space before a value',
      ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
      [one('first event', 'message', '1'), one('second event'), one(' third event')],
    ],
    ['empty data, and a block that is cut off', 'data\n\ndata\ndata\n\ndata:', [one(''), one('\n')]],
    ['a space after the colon is the same', 'data:test\n\ndata: test\n\n', [one('test'), one('test')]],
    ['CR ends a line', 'event: a\rdata: 1\r\rdata: 2\r\r', [one('1', 'a'), one('2')]],
    ['CRLF ends a line', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n', [one('1', 'a'), one('2')]],
    ['all of them mixed', 'data: 1\r\ndata: 2\rdata: 3\n\r\ndata: 4\n\n', [one('1\n2\n3'), one('4')]],
    ['a byte order mark, once', '\uFEFFdata: 1\n\n\uFEFFdata: 2\n\n', [one('1')]],
    ['an event without data is none, and its name is forgotten', 'event: a\n\ndata: 1\n\n', [one('1')]],
    ['unknown fields and lines without a colon', 'weather: fine\nhello\ndata: 1\n\n', [one('1')]],
    [
      'an id stays for the events that follow',
      'id: 7\ndata: 1\n\ndata: 2\n\n',
      [one('1', 'message', '7'), one('2', 'message', '7')],
    ],
    [
      'an id with a NUL is passed over',
      'id: 7\ndata: 1\n\nid: 8\0\ndata: 2\n\n',
      [one('1', 'message', '7'), one('2', 'message', '7')],
    ],
    ['a colon within a value', 'data: a:b: c\n\n', [one('a:b: c')]],
    ['characters of several bytes', 'data: \u{1F600}\n\n', [one('\u{1F600}')]],
  ])('%s', (_, text, events) => {
    expect(parse(text)).toEqual(events);
    // One byte at a time.
    expect(parse(...[...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte)))).toEqual(events);
  });

  test('retry counts only when it is a whole number', () => {
    const parser = createSseParser();
    parser.push(new TextEncoder().encode('retry: 2500\nretry: soon\nretry: 1.5\nretry: -1\n\n'));
    expect(parser.retry).toBe(2500);
  });
});

test('any split of the bytes gives the same events', () => {
  const piece = fc.constantFrom(
    ...[
      'data',
      'data:',
      'event: progress',
      'id: 12',
      'retry: 5',
      ': comment',
      ':',
      ' ',
      'x',
      '\u{1F600}',
      'ü',
      '\0',
    ],
    ...['\n', '\r', '\r\n', '\n\n', '\r\n\r\n', '\r\r', '\uFEFF'],
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 20 }),
      (pieces, cuts) => {
        const bytes = new TextEncoder().encode(pieces.join(''));
        const edges = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].toSorted(
          (a, b) => a - b,
        );
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(parse(...chunks)).toEqual(parse(bytes));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('what a server sends comes out as it went in, whatever the line ends', () => {
  const event = fc.record({
    event: fc.constantFrom('status', 'progress', 'preview'),
    data: fc.json().map((text) => text.replace(/[\r\n]/g, '')),
    id: fc.nat().map(String),
  });
  fc.assert(
    fc.property(
      fc.array(event),
      fc.constantFrom('\n', '\r', '\r\n'),
      fc.boolean(),
      (events, end, comments) => {
        const text = events
          .map(({ event, data, id }) => [`id: ${id}`, `event: ${event}`, `data: ${data}`, '', ''].join(end))
          .join(comments ? `: ${end}${end}` : '');
        expect(parse(text)).toEqual(events);
      },
    ),
  );
});

test('an event without an end is given up', () => {
  const parser = createSseParser();
  const chunk = new TextEncoder().encode('x'.repeat(1024 * 1024));
  expect(() => {
    for (let sent = 0; sent < 65; sent += 1) parser.push(chunk);
  }).toThrow('too long');
});
