import type { Progress } from '@comfy-bridge/protocol';
import type { Request, Response } from 'express';

import type { Identity } from '../../access/identity.ts';
import type { Events } from '../../events.ts';
import { isTerminal } from '../../jobs/job.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import { toEta, toV2Progress } from '../../jobs/v2-view.ts';
import type { JobEta } from '../../jobs/v2-view.ts';
import type { DescribeJob } from '../answers/describe-job.ts';
import { identityOf } from '../requests/identity.ts';
import { originOf } from '../requests/origin-of.ts';
import { accountOf } from '../requests/owner-of.ts';
import { createFleetWatch } from './fleet-watch.ts';
import { createNewestOfEach } from './newest-of-each.ts';
import { createPageReader } from './page-reader.ts';
import type { PageReader, WriteFrame } from './page-reader.ts';
import { createQueueWatch } from './queue-watch.ts';
import type { QueueWatchDeps } from './queue-watch.ts';
import { createReaderIndex } from './reader-index.ts';
import { keepAliveFrame, keyIsOver, openEventStream, toFrame } from './sse.ts';
import type { StreamLimit } from './stream-limit.ts';

export interface PageStreamsDeps extends QueueWatchDeps {
  events: Events;
  describeJob: DescribeJob;
  etaOf(job: Job): JobEta | undefined;
  /** Every backend, as operators are told of it. */
  describeFleet(): readonly { name: string }[];
  limit: StreamLimit;
  /** Whether what a caller has shown is still good. */
  isGood(identity: Identity): boolean;
  /** With keys: whether everything is open to this account. */
  seesAll(account: string): boolean;
  /** Aborted when the bridge stops. */
  closing: AbortSignal;
  version: string;
}

export interface PageStreamOptions {
  /** Everybody's jobs, and the fleet: the caller has been found to be an operator. */
  seesAll: boolean;
  previews: boolean;
}

/** One stream for everything that a page shows: a browser opens six connections to a host at most. */
export interface PageStreams {
  open(request: Request, response: Response, options: PageStreamOptions): void;
  openStreams(): number;
  /** Lets go of those whose keys are over, or may less than they did. */
  dropUnwelcome(): void;
  /** Whether somebody is told pictures of this job. */
  wantsPreviews(job: Job): boolean;
}

const flushMs = 50;
const snapshotMs = 250;
const queueMs = 1_000;
const fleetMs = 500;
const keepAliveMs = 15_000;
/** One picture that is larger would cost a reader its connection. */
const maxPreviewBytes = 512 * 1024;

interface Preview {
  job: Job;
  image: Buffer;
  contentType: string;
  node: string | null;
}

/**
 * Nothing is numbered or told again: a page reads the lists once it is connected, and then this. What a reader is not there
 * for costs nothing: events are looked at only while somebody reads, and a job only for its own account and for operators.
 */
export function createPageStreams(deps: PageStreamsDeps): PageStreams {
  const { events, describeJob, etaOf, limit, closing, now } = deps;
  const readers = createReaderIndex();
  const progress = createNewestOfEach<JobId, { job: Job; progress: Progress }>({ gapMs: snapshotMs });
  const previews = createNewestOfEach<JobId, Preview>({ gapMs: snapshotMs });
  const queue = createQueueWatch(deps);
  const fleet = createFleetWatch(deps.describeFleet);
  let running: (() => void)[] = [];
  let flushing: NodeJS.Timeout | undefined;

  const hello = () =>
    toFrame('hello', JSON.stringify({ server_time: new Date(now()).toISOString(), version: deps.version }));

  function soon(): void {
    flushing ??= setTimeout(flush, flushMs).unref();
  }

  function flush(): void {
    flushing = undefined;
    const at = now();
    const isBusy = [progress.give(at, tellProgress), previews.give(at, tellPreview)];
    for (const reader of readers.all()) isBusy.push(reader.flush());
    if (isBusy.includes(true)) soon();
  }

  function tell(job: Job, kind: string, write: WriteFrame): void {
    for (const reader of readers.of(job.account)) reader.offer(`${kind}:${job.id}`, write);
    soon();
  }

  function onJob({ job }: { job: Job }): void {
    if (isTerminal(job.state.status)) forgetSnapshots(job);
    if (!readers.has(job.account)) return;
    // Its place and its links differ from reader to reader, and are those of the moment in which it is told.
    tell(job, 'job', (viewer) => toFrame('job', JSON.stringify(describeJob(job, viewer))));
  }

  function forgetSnapshots({ id, account }: Job): void {
    progress.remove(id);
    previews.remove(id);
    for (const reader of readers.of(account))
      for (const kind of ['progress', 'preview', 'queue']) reader.withdraw(`${kind}:${id}`);
  }

  function onForgotten({ job }: { job: Job }): void {
    forgetSnapshots(job);
    for (const reader of readers.of(job.account)) reader.withdraw(`job:${job.id}`);
    const frame = toFrame('gone', JSON.stringify({ id: job.id }));
    tell(job, 'gone', () => frame);
  }

  function tellProgress({ job, progress: newest }: { job: Job; progress: Progress }): void {
    const eta = etaOf(job);
    const data = {
      id: job.id,
      progress: toV2Progress(job, newest),
      eta: eta === undefined ? null : toEta(eta),
    };
    const frame = toFrame('progress', JSON.stringify(data));
    for (const reader of readers.of(job.account)) reader.offer(`progress:${job.id}`, () => frame);
  }

  function tellPreview({ job, image, contentType, node }: Preview): void {
    const data = { id: job.id, content_type: contentType, data: image.toString('base64'), node };
    const frame = toFrame('preview', JSON.stringify(data));
    for (const reader of readers.ownersOf(job.account))
      if (reader.previews) reader.offer(`preview:${job.id}`, () => frame);
  }

  function lookAtQueue(): void {
    queue.look(
      (job) => readers.has(job.account),
      (job, data) => {
        const frame = toFrame('queue', JSON.stringify(data));
        tell(job, 'queue', () => frame);
      },
    );
  }

  function lookAtFleet(): void {
    if (!readers.someSeeAll()) return fleet.clear();
    const tellAll = (key: string, frame: Buffer) => {
      for (const reader of readers.seeingAll()) reader.offer(key, () => frame);
      soon();
    };
    fleet.look({
      changed: (name, data) => tellAll(`backend:${name}`, toFrame('backend', data)),
      gone: (name) => tellAll(`backend:${name}`, toFrame('backend_gone', JSON.stringify({ name }))),
    });
  }

  function every(ms: number, act: () => void): () => void {
    const timer = setInterval(act, ms).unref();
    return () => clearInterval(timer);
  }

  /** Only while somebody reads. */
  function start(): void {
    if (running.length > 0) return;
    running = [
      ...(
        [
          ...['job:queued', 'job:reprioritized', 'job:assigned', 'job:hedged', 'job:phase'],
          ...['job:output', 'job:canceling', 'job:finished', 'job:delivered', 'job:expired'],
        ] as const
      ).map((name) => events.on(name, onJob)),
      events.on('job:forgotten', onForgotten),
      events.on('job:progress', (event) => {
        if (!readers.has(event.job.account)) return;
        progress.put(event.job.id, event);
        soon();
      }),
      events.on('job:preview', (event) => {
        if (!wantsPreviews(event.job) || event.image.length > maxPreviewBytes) return;
        previews.put(event.job.id, event);
        soon();
      }),
      every(queueMs, lookAtQueue),
      every(fleetMs, lookAtFleet),
      every(keepAliveMs, () => {
        for (const { stream } of readers.all()) stream.send(keepAliveFrame);
      }),
    ];
  }

  function stop(): void {
    running.forEach((off) => off());
    running = [];
    clearTimeout(flushing);
    flushing = undefined;
    for (const kept of [progress, previews, queue, fleet]) kept.clear();
  }

  function wantsPreviews({ account }: Job): boolean {
    for (const reader of readers.ownersOf(account)) if (reader.previews) return true;
    return false;
  }

  function isWelcome({ viewer: { identity }, account, seesAll }: PageReader): boolean {
    if (identity === undefined) return true;
    return deps.isGood(identity) && (!seesAll || deps.seesAll(account));
  }

  closing.addEventListener('abort', () => [...readers.all()].forEach(({ stream }) => stream.end()), {
    once: true,
  });

  return {
    open(request, response, { seesAll, previews: wantsOwnPreviews }) {
      const account = accountOf(request);
      const release = limit.take(account);
      const stream = openEventStream(response, () => {
        release();
        readers.remove(reader);
        if (readers.isEmpty()) stop();
      });
      const viewer = { origin: originOf(request), identity: identityOf(request) };
      const reader = createPageReader({
        ...{ stream, viewer, account, seesAll, hello },
        previews: wantsOwnPreviews,
      });
      // Only its head is wanted, and that is there.
      if (request.method === 'HEAD' || closing.aborted) return stream.end();
      readers.add(reader);
      start();
      if (seesAll) lookAtFleet();
      stream.send(hello());
    },
    openStreams: () => [...readers.all()].length,
    dropUnwelcome() {
      for (const reader of [...readers.all()]) {
        if (isWelcome(reader)) continue;
        reader.stream.send(keyIsOver);
        reader.stream.end();
        readers.remove(reader);
      }
    },
    wantsPreviews,
  };
}
