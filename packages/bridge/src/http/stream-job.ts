import type { Response } from 'express';

import type { FeedEvent, JobFeed } from '../jobs/job-feed.ts';
import { isTerminal } from '../jobs/job.ts';
import type { Job } from '../jobs/job.ts';
import { publicStatus, toV2Job } from '../jobs/v2-view.ts';
import type { V2Context } from '../jobs/v2-view.ts';
import { openEventStream } from './sse.ts';
import type { EventStream } from './sse.ts';

export interface StreamJobDeps {
  feed: JobFeed;
  /** Place in the queue; undefined when it does not wait. */
  positionOf(job: Job): number | undefined;
  contextOf(job: Job): V2Context;
}

type Snapshot = Exclude<FeedEvent, { type: 'status' }>;

/** Snapshots are told to a stream at most this often: a progress, a preview, or one of each. */
const minGapMs = 100;
const positionMs = 1_000;

/**
 * Tells a job's events from `after` on (0: how it stands now) until its end: `status`, `progress`, `preview` and `output`, as
 * Comfy API v2 has them, with rising ids beside it. `onClose` is called once.
 */
export function streamJob(
  deps: StreamJobDeps,
  { job, after }: { job: Job; after: number },
  response: Response,
  onClose: () => void,
): EventStream {
  const { feed, contextOf } = deps;
  const stream = openEventStream(response, () => {
    clearInterval(positions);
    clearTimeout(gap);
    following?.stop();
    onClose();
  });
  /** The newest of each kind that was not told yet. */
  const pending = new Map<Snapshot['type'], Snapshot>();
  let gap: NodeJS.Timeout | undefined;
  let current = job;
  let told: string | undefined;

  function tell(event: FeedEvent): void {
    if (event.type === 'status') {
      current = event.job;
      return tellStatus(event.seq);
    }
    pending.set(event.type, event);
    if (gap === undefined) tellSnapshots();
  }

  function tellSnapshots(): void {
    gap = undefined;
    if (pending.size === 0) return;
    // Who is behind gets what is newest once it has caught up.
    if (stream.keepsUp) sendPending();
    gap = setTimeout(tellSnapshots, minGapMs).unref();
  }

  function sendPending(): void {
    for (const snapshot of [...pending.values()].toSorted((a, b) => a.seq - b.seq))
      send(snapshot, snapshot.seq);
    pending.clear();
  }

  function send(snapshot: Snapshot, id: number | undefined): void {
    stream.send({ id, event: snapshot.type, data: toData(snapshot, contextOf(snapshot.job)) });
  }

  function tellStatus(id?: number): void {
    // Ids rise: what came before a change of state is told before it, or never.
    if (stream.keepsUp) sendPending();
    pending.clear();
    const { queue_position, outputs } = toV2Job(current, contextOf(current));
    // Without an id: a client that lost the connection before the status that follows gets them again with it. What was
    // delivered before this stream began is gone.
    for (const data of job.deliveredAt === null ? outputs : []) stream.send({ event: 'output', data });
    const data = { status: publicStatus(current), queue_position };
    const text = JSON.stringify(data);
    // Phases that the contract does not know change nothing for its reader.
    if (text !== told) stream.send({ id, event: 'status', data });
    told = text;
    if (isTerminal(current.state.status)) stream.end();
  }

  /**
   * How things stand, for a new listener: the state first. Its number comes with the last event, so that who lost the
   * connection in between gets it all again.
   */
  function tellPresent(missed: readonly FeedEvent[]): void {
    const newest = new Map(missed.map((event) => [event.type, event]));
    const snapshots = [newest.get('progress'), newest.get('preview')].filter((event) => event !== undefined);
    const id = missed.at(-1)?.seq;
    tellStatus(snapshots.length === 0 ? id : undefined);
    for (const [at, snapshot] of snapshots.entries()) {
      if (snapshot.type !== 'status') send(snapshot, at === snapshots.length - 1 ? id : undefined);
    }
  }

  const following = feed.follow(job, after, tell);
  if (after === 0 && !isTerminal(job.state.status)) tellPresent(following.missed);
  else for (const event of after === 0 ? newestOf(following.missed) : following.missed) tell(event);
  if (isTerminal(job.state.status)) stream.end();
  /** Its place in the queue changes without anything happening to the job itself. */
  const positions = setInterval(() => {
    if (deps.positionOf(job) !== undefined) tellStatus();
  }, positionMs).unref();
  return stream;
}

function toData(snapshot: Snapshot, context: V2Context) {
  if (snapshot.type === 'progress')
    return toV2Job(snapshot.job, { ...context, progress: snapshot.progress }).progress;
  const { node, contentType, image } = snapshot;
  return { node_id: node ?? '', content_type: contentType, data_base64: image.toString('base64') };
}

/** The last of each kind. */
function newestOf(events: readonly FeedEvent[]): FeedEvent[] {
  const newest = new Map(events.map((event) => [event.type, event]));
  return [...newest.values()].toSorted((a, b) => a.seq - b.seq);
}
