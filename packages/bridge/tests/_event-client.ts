import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

import {
  v2OutputSchema,
  v2PreviewEventSchema,
  v2ProgressSchema,
  v2StatusEventSchema,
} from '@comfy-bridge/protocol';
import { expect } from 'vitest';

export interface StreamedEvent {
  id: number | undefined;
  event: string;
  data: unknown;
}

export interface EventReader extends Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything that came so far. */
  readonly events: StreamedEvent[];
  /** What came, if it is no event stream. */
  text(): string;
  /** The next event of that kind, read in order. */
  next(event?: string): Promise<StreamedEvent>;
  /** Resolves when the other side has ended the stream. */
  readonly ended: Promise<void>;
  /** The last id, which a client that comes back sends. */
  lastId(): number;
}

/** Reads server-sent events one by one, as a browser's `EventSource` would; waiting ends with an error after ten seconds. */
export async function openEvents(
  url: string,
  lastEventId?: number,
  more: Record<string, string> = {},
): Promise<EventReader> {
  const events: StreamedEvent[] = [];
  const listeners = new Set<() => void>();
  const done = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<{ status: number; headers: IncomingHttpHeaders }>();
  let isOver = false;
  let received = '';
  let unread = '';
  let read = 0;
  const headers = { ...more, ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }) };
  const call = request(url, { agent: false, headers: { connection: 'close', ...headers } });
  const wake = () => listeners.forEach((listener) => listener());
  const finish = () => {
    isOver = true;
    done.resolve();
    wake();
  };
  call.on('error', (error) => {
    opened.reject(error);
    finish();
  });
  call.on('response', (response) => {
    opened.resolve({ status: response.statusCode ?? 0, headers: response.headers });
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      received += chunk;
      const blocks = (unread + chunk).split('\n\n');
      unread = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== undefined) events.push(event);
      }
      wake();
    });
    response.on('error', finish);
    response.on('close', finish);
  });
  call.end();
  const { status, headers: answered } = await opened.promise;
  return {
    status,
    headers: answered,
    events,
    text: () => received,
    ended: done.promise,
    lastId: () => Math.max(0, ...events.map(({ id }) => id ?? 0)),
    next(wanted) {
      const { promise, resolve, reject } = Promise.withResolvers<StreamedEvent>();
      const check = () => {
        for (; read < events.length; read += 1) {
          const event = events[read];
          if (event === undefined || (wanted !== undefined && event.event !== wanted)) continue;
          read += 1;
          // At once: another event of the same moment belongs to who asks next.
          listeners.delete(check);
          return resolve(event);
        }
        if (isOver) reject(new Error(`the stream ended while waiting for ${wanted ?? 'an event'}`));
      };
      listeners.add(check);
      const timer = setTimeout(() => reject(new Error(`waited 10 s for ${wanted ?? 'an event'}`)), 10_000);
      check();
      return promise.finally(() => {
        listeners.delete(check);
        clearTimeout(timer);
      });
    },
    [Symbol.dispose]: () => void call.destroy(),
  };
}

/** Undefined for a comment. */
function parseEvent(block: string): StreamedEvent | undefined {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
  );
  const event = fields.get('event');
  if (event === undefined) return undefined;
  const id = fields.get('id');
  return {
    id: id === undefined ? undefined : Number(id),
    event,
    data: JSON.parse(fields.get('data') ?? 'null'),
  };
}

/** Every event must be as the contract says; returns the states in order. */
export function checkEvents(events: readonly StreamedEvent[]): string[] {
  const states: string[] = [];
  for (const { event, data } of events) {
    if (event === 'progress') v2ProgressSchema.parse(data);
    else if (event === 'preview') v2PreviewEventSchema.parse(data);
    else if (event === 'output') v2OutputSchema.parse(data);
    else {
      expect(event).toBe('status');
      states.push(v2StatusEventSchema.parse(data).status);
    }
  }
  const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]));
  expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  return states;
}
