import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';

import { newJob } from '../../../tests/_new-job.ts';
import { createEvents } from '../../events.ts';
import { createJobFeed } from '../../jobs/job-feed.ts';
import { transition } from '../../jobs/job.ts';
import type { JobChange, JobResult } from '../../jobs/job.ts';
import { createEventFrames } from './event-frames.ts';
import { createJobChannel } from './job-channel.ts';
import type { StreamStyle } from './job-channel.ts';

const numbered: StreamStyle = { ids: true, gapMs: 100, showsPreview: () => true };
const plain: StreamStyle = { ids: false, gapMs: 500, showsPreview: () => true };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function resultOf(id: string): JobResult {
  const file = { fileName: 'a.png', contentType: 'image/png', type: 'image', size: 1 } as const;
  return { id, index: 0, nodeId: '9', ...file };
}

/** A running job, and a channel of its events with readers that are made up. */
function startChannel(style: StreamStyle) {
  const events = createEvents((_name, error) => {
    throw error;
  });
  const feed = createJobFeed({ events });
  onTestFinished(() => feed.close());
  let job = newJob();
  function change(to: JobChange): void {
    const next = transition(job, to);
    if (!next.ok) throw new Error(next.reason);
    ({ job } = next);
    events.emit(to.type === 'succeeded' ? 'job:finished' : 'job:phase', { job });
  }
  events.emit('job:queued', { job });
  change({ type: 'assigned', backend: 'b', promptId: 'p', at: 1 });
  change({ type: 'phase', attempt: 1, phase: 'executing', at: 2 });
  const positionOf = () => undefined;
  const contextOf = (_job: unknown, origin: string) => ({
    progress: undefined,
    outputs: [],
    queuePosition: undefined,
    origin,
    basePath: '',
    resultTtlMs: 1_000,
  });
  const frames = createEventFrames({ positionOf, contextOf });
  const channel = createJobChannel({ feed, frames, isWaiting: () => false }, job, style);
  return {
    channel,
    progress(value: number) {
      const progress = { value, nodes_done: 0, nodes_total: 1, current_node: null };
      const rest = { current_node_class: null, step: null, steps: null };
      events.emit('job:progress', { job, progress: { ...progress, ...rest } });
    },
    preview: () =>
      events.emit('job:preview', { job, image: Buffer.from('jpeg'), contentType: 'image/jpeg', node: '3' }),
    output: (id: string) => events.emit('job:output', { job, result: resultOf(id) }),
    end: (...ids: string[]) =>
      change({ type: 'succeeded', attempt: 1, results: ids.map((id) => resultOf(id)), at: 3 }),
    join(origin = 'http://a') {
      const heard: Buffer[] = [];
      const reader = { keepsUp: true, isOver: false };
      const stream = {
        get keepsUp() {
          return reader.keepsUp;
        },
        send: (frame: Buffer) => void heard.push(frame),
        end: () => void (reader.isOver = true),
      };
      const listener = { stream, origin };
      channel.join(listener, 0);
      // What it was told first is of no interest here.
      heard.length = 0;
      const texts = () => heard.map(String);
      return {
        reader,
        listener,
        heard,
        told: () =>
          texts().map((text) => /"value":([\d.]+)/.exec(text)?.[1] ?? /event: (\w+)/.exec(text)?.[1]),
        ids: () =>
          texts()
            .flatMap((text) => /^id: (\d+)/.exec(text)?.[1] ?? [])
            .map(Number),
      };
    },
  };
}

test('an event is written once, however many are told it; one that holds addresses, once for each', () => {
  const t = startChannel(plain);
  const [one, two, other] = [t.join(), t.join(), t.join('https://b')];
  t.progress(0.1);
  t.output('x');
  expect(one.heard).toHaveLength(2);
  expect(two.heard[0]).toBe(one.heard[0]);
  expect(other.heard[0]).toBe(one.heard[0]);
  expect(two.heard[1]).toBe(one.heard[1]);
  expect(String(other.heard[1])).toContain('https://b/api/');
  expect(String(one.heard[1])).toContain('http://a/api/');
});

test('one timer spaces it out for all: the newest is told each time, and nothing twice', () => {
  const t = startChannel(plain);
  const [one, two] = [t.join(), t.join()];
  for (const value of [0.1, 0.2, 0.3]) t.progress(value);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(499);
  expect(one.told()).toEqual(['0.1']);
  vi.advanceTimersByTime(1);
  expect(one.told()).toEqual(['0.1', '0.3']);
  expect(two.told()).toEqual(['0.1', '0.3']);
  vi.advanceTimersByTime(5_000);
  expect(one.told()).toEqual(['0.1', '0.3']);
  expect(vi.getTimerCount()).toBe(0);
});

test('who is behind is left out until it has caught up, and gets what is newest then', () => {
  const t = startChannel(plain);
  const [slow, fast] = [t.join(), t.join()];
  slow.reader.keepsUp = false;
  t.progress(0.1);
  t.preview();
  vi.advanceTimersByTime(500);
  t.progress(0.2);
  vi.advanceTimersByTime(2_000);
  expect(slow.told()).toEqual([]);
  expect(fast.told()).toEqual(['0.1', 'preview', '0.2']);
  slow.reader.keepsUp = true;
  vi.advanceTimersByTime(500);
  expect(slow.told()).toEqual(['preview', '0.2']);
});

test('before the end comes the last progress, even for who is behind; an old picture does not', () => {
  const t = startChannel(plain);
  const one = t.join();
  t.progress(0.1);
  one.reader.keepsUp = false;
  t.preview();
  t.progress(0.9);
  t.end();
  expect(one.told()).toEqual(['0.1', '0.9', 'status']);
  expect(one.reader.isOver).toBe(true);
  expect(t.channel.isEmpty).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('numbers rise: what waits for its time is told before an output, and never after it', () => {
  const t = startChannel(numbered);
  const [one, slow] = [t.join(), t.join()];
  slow.reader.keepsUp = false;
  t.progress(0.1);
  t.preview();
  t.progress(0.2);
  t.output('x');
  slow.reader.keepsUp = true;
  vi.advanceTimersByTime(1_000);
  t.end('x');
  expect(one.told()).toEqual(['0.1', 'preview', '0.2', 'output', 'status']);
  expect(slow.told()).toEqual(['0.2', 'output', 'status']);
  for (const { ids } of [one, slow]) expect(ids()).toEqual([...new Set(ids())].toSorted((a, b) => a - b));
});

test('an output waits for nothing where there are no numbers', () => {
  const t = startChannel(plain);
  const one = t.join();
  t.progress(0.1);
  t.progress(0.2);
  t.output('x');
  expect(one.told()).toEqual(['0.1', 'output']);
});

test('outputs that nobody was told of come before the end, those that were told do not come again', () => {
  const t = startChannel(numbered);
  const one = t.join();
  t.output('x');
  const late = t.join();
  t.end('w', 'x');
  expect(one.told()).toEqual(['output', 'output', 'status']);
  expect(String(one.heard[1])).toContain('"id":"w"');
  expect(late.told()).toEqual(['output', 'status']);
});

test('who leaves is told nothing more, and a timer goes with the last one', () => {
  const t = startChannel(plain);
  const [one, two] = [t.join(), t.join()];
  t.channel.leave(one.listener);
  t.progress(0.1);
  expect(one.heard).toEqual([]);
  expect(two.told()).toEqual(['0.1']);
  t.channel.leave(two.listener);
  expect(t.channel.isEmpty).toBe(true);
  vi.advanceTimersByTime(500);
  expect(vi.getTimerCount()).toBe(0);
});
