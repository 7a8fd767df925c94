import type { Progress } from '@comfy-bridge/protocol';

import type { Events } from '../events.ts';
import { isTerminal } from './job.ts';
import type { Job, JobId, JobResult } from './job.ts';

/** Something to tell of a job. `seq` rises with every event of that job, over restarts too. */
export type FeedEvent =
  | { seq: number; type: 'status'; job: Job }
  | { seq: number; type: 'progress'; job: Job; progress: Progress }
  | { seq: number; type: 'preview'; job: Job; image: Buffer; contentType: string; node: string | null }
  | { seq: number; type: 'output'; job: Job; result: JobResult };

/**
 * The events of every job, kept so that a listener can come late or come back: the changes of state, the newest progress
 * and the newest preview, and the results that the attempt under way has given. Progress is a complete snapshot, so an
 * older one that is gone is not missed.
 */
export interface JobFeed {
  /**
   * What a listener has missed since `after` (0: everything that is kept), oldest first, and then `listener` for what
   * follows. Nothing falls between the two.
   */
  follow(
    job: Job,
    after: number,
    listener: (event: FeedEvent) => void,
  ): { missed: FeedEvent[]; stop(): void };
  /** What a listener has missed since `after`, as `follow` tells it. */
  missedBy(job: Job, after: number): FeedEvent[];
  /** The job as it was last told, which may be newer than what the caller holds. */
  newest(job: Job): Job;
  /** Whether anybody follows it. */
  isFollowed(id: JobId): boolean;
  /** The last progress that was told, also of a finished job while its feed is kept. */
  lastProgress(job: Job): Progress | undefined;
  /** The newest preview of a running job. */
  lastPreview(job: Job): Buffer | undefined;
  /** The newest sequence number of a job. */
  position(job: Job): number;
  close(): void;
}

interface Feed {
  statuses: Extract<FeedEvent, { type: 'status' }>[];
  progress: Extract<FeedEvent, { type: 'progress' }> | undefined;
  preview: Extract<FeedEvent, { type: 'preview' }> | undefined;
  outputs: Extract<FeedEvent, { type: 'output' }>[];
  seq: number;
  listeners: Set<(event: FeedEvent) => void>;
}

/** Room between two changes of state for progress and previews; a number stays exact far beyond any job. */
const stride = 1_000_000;
/** Feeds of finished jobs that are kept for listeners who come late. */
const finishedFeeds = 1_000;
/** Changes of state that are kept of one job: one that is moved about for days still has an end to its memory. */
const keptStatuses = 200;
/** Results that are told one by one; all of them are in the job itself once it has succeeded. */
const keptOutputs = 2_000;

/**
 * The number of the event that told a job's state: it follows from what is stored, so a restart goes on where it was. From
 * one stride on, so that 0 is before everything. A delivery changes the job and not its state.
 */
export function statusSeq(job: Job): number {
  const revision = job.deliveredAt === null ? job.revision : job.revision - 1;
  return (revision + 1) * stride;
}

export function createJobFeed({ events }: { events: Events }): JobFeed {
  const feeds = new Map<JobId, Feed>();
  const finished: JobId[] = [];

  function feedOf(job: Job): Feed {
    let feed = feeds.get(job.id);
    if (feed === undefined) {
      feed = {
        statuses: [],
        progress: undefined,
        preview: undefined,
        outputs: [],
        seq: 0,
        listeners: new Set(),
      };
      feeds.set(job.id, feed);
    }
    return feed;
  }

  function tell(feed: Feed, event: FeedEvent): void {
    feed.seq = event.seq;
    for (const listener of [...feed.listeners]) listener(event);
  }

  function onStatus({ job }: { job: Job }): void {
    const feed = feedOf(job);
    const event = { seq: statusSeq(job), type: 'status', job } as const;
    if (event.seq <= feed.seq) return;
    feed.statuses.push(event);
    if (feed.statuses.length > keptStatuses) feed.statuses.shift();
    if (isTerminal(job.state.status)) feed.preview = undefined;
    feed.outputs = stillThere(feed.outputs, job);
    tell(feed, event);
    if (isTerminal(job.state.status)) keepFinished(job.id, feed);
  }

  /** Nothing follows: its listeners are done, and it stays only for those who come late. */
  function keepFinished(id: JobId, feed: Feed): void {
    feed.listeners.clear();
    finished.push(id);
    const oldest = finished.length > finishedFeeds ? finished.shift() : undefined;
    if (oldest !== undefined) feeds.delete(oldest);
  }

  function missedBy(job: Job, after: number): FeedEvent[] {
    const feed = feeds.get(job.id);
    const statuses = feed?.statuses ?? [{ seq: statusSeq(job), type: 'status', job } as const];
    const outputs = job.deliveredAt === null ? (feed?.outputs ?? []) : [];
    const kept = [...statuses, ...outputs, feed?.progress, feed?.preview].filter(
      (event) => event !== undefined,
    );
    return kept.filter(({ seq }) => seq > after).toSorted((a, b) => a.seq - b.seq);
  }

  const unsubscribe = [
    events.on('job:queued', onStatus),
    events.on('job:assigned', onStatus),
    events.on('job:phase', onStatus),
    events.on('job:canceling', onStatus),
    events.on('job:finished', onStatus),
    events.on('job:expired', ({ job }) => feeds.delete(job.id)),
    events.on('job:progress', ({ job, progress }) => {
      const feed = feedOf(job);
      feed.progress = { seq: nextSeq(feed, job), type: 'progress', job, progress };
      tell(feed, feed.progress);
    }),
    events.on('job:preview', ({ job, image, contentType, node }) => {
      const feed = feedOf(job);
      feed.preview = { seq: nextSeq(feed, job), type: 'preview', job, image, contentType, node };
      tell(feed, feed.preview);
    }),
    events.on('job:output', ({ job, result }) => {
      const feed = feedOf(job);
      if (feed.outputs.length >= keptOutputs) return;
      const event = { seq: nextSeq(feed, job), type: 'output', job, result } as const;
      feed.outputs.push(event);
      tell(feed, event);
    }),
  ];

  return {
    follow(job, after, listener) {
      const missed = missedBy(job, after);
      // Nothing follows the end: nothing of such a job has to be kept for it.
      if (isTerminal(job.state.status)) return { missed, stop: () => {} };
      const known = feeds.has(job.id);
      const feed = feedOf(job);
      if (!known) feed.statuses.push({ seq: statusSeq(job), type: 'status', job });
      feed.seq = Math.max(feed.seq, statusSeq(job));
      feed.listeners.add(listener);
      return { missed, stop: () => feed.listeners.delete(listener) };
    },
    missedBy,
    newest(job) {
      const told = feeds.get(job.id)?.statuses.at(-1)?.job;
      return told === undefined || told.revision <= job.revision ? job : told;
    },
    isFollowed: (id) => (feeds.get(id)?.listeners.size ?? 0) > 0,
    lastProgress: (job) => feeds.get(job.id)?.progress?.progress,
    lastPreview: (job) => feeds.get(job.id)?.preview?.image,
    position: (job) => Math.max(feeds.get(job.id)?.seq ?? 0, statusSeq(job)),
    close() {
      unsubscribe.forEach((off) => off());
      feeds.clear();
    },
  };
}

/** Results of an attempt that was lost, or did not end well, are gone; of one that did, those that nobody wanted. */
function stillThere(outputs: Feed['outputs'], { state }: Job): Feed['outputs'] {
  if (state.status === 'running' || state.status === 'canceling') return outputs;
  if (state.status !== 'succeeded' || outputs.length === 0) return [];
  const ids = new Set(state.results.map(({ id }) => id));
  return outputs.filter(({ result }) => ids.has(result.id));
}

/**
 * Behind the last change of state, also when who tells it holds the job as it was before that. A flood stops at the last
 * number before the next change, which must not be taken for an old one.
 */
function nextSeq(feed: Feed, job: Job): number {
  const status = Math.max(statusSeq(job), feed.statuses.at(-1)?.seq ?? 0);
  return Math.min(Math.max(feed.seq, status) + 1, status + stride - 1);
}
