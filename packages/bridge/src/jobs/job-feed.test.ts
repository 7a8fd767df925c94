import type { Progress } from '@comfy-bridge/protocol';
import { expect, onTestFinished, test } from 'vitest';

import { newJob } from '../../tests/_new-job.ts';
import { createEvents } from '../events.ts';
import { createJobFeed, statusSeq } from './job-feed.ts';
import type { FeedEvent } from './job-feed.ts';
import { transition } from './job.ts';
import type { Job, JobChange, JobResult } from './job.ts';

const image = Buffer.from('jpeg');

function progress(value: number): Progress {
  return {
    value,
    nodes_done: 0,
    nodes_total: 1,
    current_node: null,
    current_node_class: null,
    step: null,
    steps: null,
  };
}

function resultOf(id: string): JobResult {
  const file = { fileName: 'a.png', contentType: 'image/png', type: 'image', size: 1 } as const;
  return { id, index: 0, nodeId: '9', ...file };
}

/** A feed, and one job whose changes are told to it. */
function startFeed(job: Job = newJob()) {
  const events = createEvents((_name, error) => {
    throw error;
  });
  const feed = createJobFeed({ events });
  onTestFinished(() => feed.close());
  let current = job;
  function change(to: JobChange): Job {
    const next = transition(current, to);
    if (!next.ok) throw new Error(next.reason);
    current = next.job;
    const finished = ['succeeded', 'failed', 'canceled'].includes(to.type);
    const back = to.type === 'requeued' ? 'job:queued' : 'job:phase';
    events.emit(finished ? 'job:finished' : back, { job: current });
    return current;
  }
  events.emit('job:queued', { job });
  return {
    events,
    feed,
    change,
    job: () => current,
    run: () => change({ type: 'assigned', backend: 'b', promptId: 'p', at: 1 }),
    end: () => change({ type: 'succeeded', attempt: current.attempt, results: [], at: 2 }),
    tellProgress: (value: number) => events.emit('job:progress', { job: current, progress: progress(value) }),
    tellPreview: () =>
      events.emit('job:preview', { job: current, image, contentType: 'image/jpeg', node: '3' }),
    tellOutput: (id: string) => events.emit('job:output', { job: current, result: resultOf(id) }),
    /** What a listener that comes with `after` is told, from now on too. */
    listen(after = 0) {
      const heard: FeedEvent[] = [];
      const { missed, stop } = feed.follow(current, after, (event) => heard.push(event));
      heard.unshift(...missed);
      return {
        heard,
        stop,
        seqs: () => heard.map(({ seq }) => seq),
        types: () => heard.map(({ type }) => type),
      };
    },
  };
}

test('numbers rise with every event, whatever its kind', () => {
  const t = startFeed();
  const { seqs, types } = t.listen();
  t.run();
  t.tellProgress(0.1);
  t.tellPreview();
  t.tellProgress(0.2);
  t.end();
  expect(types()).toEqual(['status', 'status', 'progress', 'preview', 'progress', 'status']);
  expect(seqs()).toEqual([1_000_000, 2_000_000, 2_000_001, 2_000_002, 2_000_003, 3_000_000]);
  expect(t.feed.position(t.job())).toBe(3_000_000);
});

test('the number of a change of state follows from what is stored, so that a new process goes on where the old one was', () => {
  const before = startFeed();
  before.run();
  before.tellProgress(0.5);
  const after = startFeed(before.change({ type: 'reattached', attempt: 1 }));
  after.tellProgress(0.6);
  expect(after.feed.position(after.job())).toBeGreaterThan(before.feed.position(before.job()));
});

test('who comes back with the last number hears what was missed and nothing twice', () => {
  const t = startFeed();
  const first = t.listen();
  t.run();
  t.tellProgress(0.1);
  first.stop();
  t.tellProgress(0.2);
  t.tellProgress(0.3);
  const second = t.listen(first.seqs().at(-1));
  t.end();
  expect(first.types()).toEqual(['status', 'status', 'progress']);
  expect(second.heard).toMatchObject([{ type: 'progress', progress: { value: 0.3 } }, { type: 'status' }]);
});

test('what is told of the job as it was before its last change comes behind that change', () => {
  const t = startFeed();
  const assigned = t.run();
  t.change({ type: 'phase', attempt: 1, phase: 'executing', at: 2 });
  const { heard, seqs } = t.listen(t.feed.position(t.job()));
  t.events.emit('job:preview', { job: assigned, image, contentType: 'image/jpeg', node: '3' });
  t.tellProgress(0.5);
  expect(heard.map(({ type }) => type)).toEqual(['preview', 'progress']);
  expect(seqs()).toEqual([3_000_001, 3_000_002]);
});

test('the results of an attempt are told one by one, and those of a lost one are gone', () => {
  const t = startFeed();
  const first = t.listen();
  t.run();
  t.tellOutput('a');
  t.tellOutput('b');
  expect(first.types()).toEqual(['status', 'status', 'output', 'output']);
  expect(t.listen(first.seqs()[2]).heard).toMatchObject([{ type: 'output', result: { id: 'b' } }]);
  t.change({ type: 'requeued', attempt: 1, exclude: [], counts: true, at: 5 });
  expect(t.listen().types()).not.toContain('output');
  t.run();
  t.tellOutput('c');
  t.tellOutput('d');
  t.change({ type: 'succeeded', attempt: 2, results: [resultOf('d')], at: 6 });
  const late = t.listen().heard.filter(({ type }) => type === 'output');
  expect(late).toMatchObject([{ result: { id: 'd' } }]);
});

test('a job that is moved about for days leaves no endless list of its states', () => {
  const t = startFeed();
  for (let attempt = 1; attempt <= 300; attempt += 1) {
    t.run();
    t.change({ type: 'requeued', attempt, exclude: [], counts: false, at: 5 });
  }
  const { heard } = t.listen();
  expect(heard).toHaveLength(200);
  expect(heard.at(-1)?.seq).toBe(statusSeq(t.job()));
});

test('who asks is told the job as it was last told, and whether anybody listens', () => {
  const t = startFeed();
  const queued = t.job();
  const running = t.run();
  expect(t.feed.newest(queued)).toBe(running);
  expect(t.feed.isFollowed(queued.id)).toBe(false);
  const { stop } = t.listen();
  expect(t.feed.isFollowed(queued.id)).toBe(true);
  stop();
  expect(t.feed.isFollowed(queued.id)).toBe(false);
});

test('changes of state are all kept; of progress and previews only the newest', () => {
  const t = startFeed();
  t.run();
  for (let step = 1; step <= 50; step += 1) {
    t.tellProgress(step / 100);
    t.tellPreview();
  }
  t.change({ type: 'requeued', attempt: 1, exclude: [], counts: true, at: 5 });
  t.run();
  expect(t.listen(1_000_000).types()).toEqual(['status', 'progress', 'preview', 'status', 'status']);
});

test('who comes when all is over hears the end, and the last progress, but no old picture', () => {
  const t = startFeed();
  t.run();
  t.tellProgress(0.9);
  t.tellPreview();
  t.end();
  const { heard } = t.listen(1_000_000);
  expect(heard.map(({ type }) => type)).toEqual(['status', 'progress', 'status']);
  expect(t.feed.lastPreview(t.job())).toBeUndefined();
  expect(t.feed.lastProgress(t.job())?.value).toBe(0.9);
});

test('a listener that has stopped hears nothing more; one that stops another disturbs nobody', () => {
  const t = startFeed();
  const one = t.listen();
  const two = t.listen();
  one.stop();
  t.run();
  expect(one.heard).toHaveLength(1);
  expect(two.heard).toHaveLength(2);
});

test('a job of an earlier process is told as it stands', () => {
  const { feed } = startFeed();
  const old = newJob({ revision: 7, state: { status: 'succeeded', results: [] }, finishedAt: 5 });
  const told = (after: number) => feed.follow(old, after, () => {}).missed.map(({ seq }) => seq);
  expect(told(0)).toEqual([8_000_000]);
  expect(told(7_999_999)).toEqual([8_000_000]);
  expect(told(8_000_000)).toEqual([]);
});

test('a status that is older than what was told is dropped', () => {
  const t = startFeed();
  const queued = t.job();
  t.run();
  const { heard } = t.listen(1_000_000);
  t.events.emit('job:queued', { job: queued });
  expect(heard).toHaveLength(1);
});

test('what finished jobs leave is bounded, also when their listeners are still there at the end', () => {
  const { events, feed } = startFeed();
  const finished = Array.from({ length: 1_500 }, () =>
    newJob({ revision: 1, state: { status: 'canceled', reason: 'x' }, finishedAt: 5 }),
  );
  for (const job of finished) {
    const queued: Job = { ...job, revision: 0, state: { status: 'queued' } };
    events.emit('job:queued', { job: queued });
    feed.follow(queued, 0, () => {});
    events.emit('job:progress', { job: queued, progress: progress(0.5) });
    events.emit('job:finished', { job });
  }
  const kept = finished.filter((job) => feed.lastProgress(job) !== undefined);
  expect(kept).toHaveLength(1_000);
  expect(kept[0]).toBe(finished[500]);
});

test('an endless flood of progress does not swallow the end', () => {
  const t = startFeed();
  t.run();
  for (let told = 0; told < 1_000_010; told += 1) t.tellProgress(0.5);
  const { heard } = t.listen(t.feed.position(t.job()));
  t.end();
  expect(heard).toMatchObject([{ type: 'status', job: { state: { status: 'succeeded' } } }]);
});

test('an expired job leaves nothing', () => {
  const t = startFeed();
  t.run();
  t.tellProgress(0.5);
  const ended = t.end();
  t.events.emit('job:expired', { job: ended });
  expect(t.feed.lastProgress(ended)).toBeUndefined();
});

test('a delivery is no event of the feed: who comes back after it hears no end twice, even from a new process', () => {
  const t = startFeed();
  t.run();
  const ended = t.end();
  const delivered = transition(ended, { type: 'delivered', at: 3 });
  if (!delivered.ok) throw new Error(delivered.reason);
  for (const { feed } of [t, startFeed()]) {
    const { missed } = feed.follow(delivered.job, statusSeq(ended), () => {});
    expect(missed).toEqual([]);
    expect(feed.position(delivered.job)).toBe(statusSeq(ended));
  }
});
