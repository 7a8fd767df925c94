import type { Request, Response } from 'express';

import type { Identity } from '../../access/identity.ts';
import type { JobFeed } from '../../jobs/job-feed.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import { visitInSlices } from '../../lib/in-slices.ts';
import { createEventFrames } from './event-frames.ts';
import { createJobChannel } from './job-channel.ts';
import type { JobChannel, Listener, StreamStyle } from './job-channel.ts';
import { originOf } from '../requests/origin-of.ts';
import { accountOf } from '../requests/owner-of.ts';
import { identityOf } from '../requests/identity.ts';
import { keepAliveFrame, keyIsOver, openEventStream } from './sse.ts';
import type { StreamLimit } from './stream-limit.ts';

/** The official stream: progress and previews about twice a second, and every preview a JPEG. Nothing has a number. */
const v2Style: StreamStyle = { ids: false, gapMs: 500, showsPreview: (type) => type === 'image/jpeg' };
const bridgeStyle: StreamStyle = { ids: true, gapMs: 100, showsPreview: () => true };

export interface JobStreamsDeps {
  feed: JobFeed;
  /** Place in the queue; undefined when it does not wait. */
  positionOf(job: Job): number | undefined;
  contextOf(job: Job, origin: string): V2Context;
  /** Aborted when the bridge stops: streams end then, and their readers come back. */
  closing: AbortSignal;
  /** Whether what a caller has shown is still good. */
  isGood(identity: Identity): boolean;
  /** Callers without a key or a secret of their own are told apart by their address alone. */
  limit: StreamLimit;
}

/** Answers requests with the events of a job, from how it stands now to its end. */
export interface JobStreams {
  /** As Comfy API v2 has them. */
  openOfficial(request: Request, response: Response, job: Job): void;
  /** With numbers; from the one behind `after` on, 0 for how it stands now. */
  openNumbered(request: Request, response: Response, job: Job, after: number): void;
  /** How many are open. */
  openStreams(): number;
  /** Lets go of those whose keys are over. */
  dropUnwelcome(): void;
}

const positionMs = 1_000;
const keepAliveMs = 15_000;
/** Told per turn of the event loop, where it is thousands. */
const sliceSize = 200;

export function createJobStreams({
  feed,
  positionOf,
  contextOf,
  closing,
  isGood,
  limit,
}: JobStreamsDeps): JobStreams {
  const frames = createEventFrames({ contextOf, positionOf });
  const channels = new Map<StreamStyle, Map<JobId, JobChannel>>([
    [v2Style, new Map()],
    [bridgeStyle, new Map()],
  ]);
  const listeners = new Map<Listener, Identity | undefined>();
  /** For all of them; there are none while nobody listens. */
  let timers: NodeJS.Timeout[] = [];

  function* allChannels(): Generator<JobChannel> {
    for (const of of channels.values()) yield* of.values();
  }

  const visit = <T>(items: Iterable<T>, tell: (item: T) => void) =>
    visitInSlices(items, tell, { size: sliceSize, signal: closing });

  function startTimers(): void {
    if (timers.length > 0) return;
    timers = [
      setInterval(() => void visit(allChannels(), (channel) => channel.tellPosition()), positionMs).unref(),
      setInterval(
        () => void visit(listeners.keys(), ({ stream }) => stream.send(keepAliveFrame)),
        keepAliveMs,
      ).unref(),
    ];
  }

  function stopTimers(): void {
    timers.forEach(clearInterval);
    timers = [];
  }

  function open(
    style: StreamStyle,
    { request, response, job, after }: { request: Request; response: Response; job: Job; after: number },
  ): void {
    const release = limit.take(accountOf(request));
    const ofStyle = channels.get(style) ?? new Map<JobId, JobChannel>();
    const known = ofStyle.get(job.id);
    const isWaiting = (of: Job) => positionOf(of) !== undefined;
    const channel =
      known === undefined || known.isEmpty
        ? createJobChannel({ feed, frames, isWaiting }, job, style)
        : known;
    const stream = openEventStream(response, () => {
      release();
      listeners.delete(listener);
      channel.leave(listener);
      if (channel.isEmpty) forget();
    });
    const listener: Listener = { stream, origin: originOf(request) };
    function forget(): void {
      channel.close();
      if (ofStyle.get(job.id) === channel) ofStyle.delete(job.id);
      if (listeners.size === 0) stopTimers();
    }
    // Only its head is wanted, and that is there.
    if (request.method === 'HEAD' || closing.aborted) return stream.end();
    listeners.set(listener, identityOf(request));
    startTimers();
    channel.join(listener, after);
    // The end has been told: who comes later is told by another one.
    if (channel.isEmpty) ofStyle.delete(job.id);
    else ofStyle.set(job.id, channel);
  }

  closing.addEventListener(
    'abort',
    () => {
      for (const channel of allChannels()) channel.close();
    },
    { once: true },
  );

  return {
    openStreams: () => listeners.size,
    dropUnwelcome() {
      for (const [{ stream }, identity] of [...listeners]) {
        if (identity === undefined || isGood(identity)) continue;
        stream.send(keyIsOver);
        stream.end();
      }
    },
    openOfficial: (request, response, job) => open(v2Style, { request, response, job, after: 0 }),
    openNumbered: (request, response, job, after) => open(bridgeStyle, { request, response, job, after }),
  };
}
