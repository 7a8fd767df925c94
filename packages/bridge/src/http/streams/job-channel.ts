import type { FeedEvent, JobFeed } from '../../jobs/job-feed.ts';
import { isTerminal } from '../../jobs/job.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { outputsNow } from '../../jobs/v2-view.ts';
import type { EventFrames, Snapshot } from './event-frames.ts';
import { toFrame } from './sse.ts';
import type { EventStream } from './sse.ts';

/** How a kind of stream differs from the other. */
export interface StreamStyle {
  /** Whether events have numbers, behind which a reader can go on. */
  ids: boolean;
  /** Snapshots (a progress, a preview, or one of each) are told at most this often. */
  gapMs: number;
  /** Whether pictures of this type are told. */
  showsPreview(contentType: string): boolean;
}

export interface Listener {
  stream: EventStream;
  /** As this caller reaches the bridge. */
  origin: string;
}

/** All streams of one job and one style: what happens is written once, and one timer spaces it out for all of them. */
export interface JobChannel {
  /** Tells how things stand, or what was missed since `after` (0: nothing was told), and then what follows. */
  join(listener: Listener, after: number): void;
  leave(listener: Listener): void;
  /** Its place in the queue may have changed without anything happening to the job itself. */
  tellPosition(): void;
  /** True once nobody listens. */
  readonly isEmpty: boolean;
  close(): void;
}

export interface JobChannelDeps {
  feed: JobFeed;
  frames: EventFrames;
  /** Whether the job waits. */
  isWaiting(job: Job): boolean;
}

/** What a listener was told last. */
interface Told {
  /** No older snapshot is told. */
  seq: number;
  status: string | undefined;
}

/** One picture that is larger would cost a reader its connection. */
const maxPreviewBytes = 512 * 1024;

export function createJobChannel(
  { feed, frames, isWaiting }: JobChannelDeps,
  job: Job,
  { ids, gapMs, showsPreview }: StreamStyle,
): JobChannel {
  const listeners = new Map<Listener, Told>();
  /** The newest of each kind since the last change of state. */
  const newest = new Map<Snapshot['type'], Snapshot>();
  let gap: NodeJS.Timeout | undefined;
  let current = feed.newest(job);

  const idOf = (seq: number | undefined) => (ids ? seq : undefined);

  function isShown(event: FeedEvent): boolean {
    if (event.type !== 'preview') return true;
    return event.image.length <= maxPreviewBytes && showsPreview(event.contentType);
  }

  function onEvent(event: FeedEvent): void {
    if (event.type === 'status') return onStatus(event.job, event.seq);
    if (event.type === 'output') return onOutput(event);
    if (!isShown(event)) return;
    newest.set(event.type, event);
    if (gap === undefined) tick();
  }

  function tick(): void {
    gap = undefined;
    if (tellNewest() && listeners.size > 0) gap = setTimeout(tick, gapMs).unref();
  }

  /** True when there may be more to tell soon. Who is behind gets what is newest once it has caught up. */
  function tellNewest(): boolean {
    let isBusy = false;
    const snapshots = [...newest.values()].toSorted((a, b) => a.seq - b.seq);
    for (const [{ stream }, told] of listeners) {
      for (const snapshot of snapshots) {
        if (snapshot.seq <= told.seq) continue;
        isBusy = true;
        if (!stream.keepsUp) continue;
        stream.send(frames.snapshot(snapshot, idOf(snapshot.seq)));
        told.seq = snapshot.seq;
      }
    }
    return isBusy;
  }

  /** Ids rise: what came before is told before, or never. A progress is small, and the last one is always told. */
  function tellBefore(seq: number): void {
    tellNewest();
    const progress = newest.get('progress');
    for (const [{ stream }, told] of listeners) {
      if (progress?.type === 'progress' && progress.seq > told.seq)
        stream.send(frames.snapshot(progress, idOf(progress.seq)));
      told.seq = seq;
    }
    newest.clear();
  }

  function onOutput({ job: of, result, seq }: Extract<FeedEvent, { type: 'output' }>): void {
    // Without ids nothing has to come in order.
    if (ids) tellBefore(seq);
    for (const { stream, origin } of listeners.keys())
      stream.send(frames.output(of, result, { origin, id: idOf(seq) }));
  }

  function onStatus(next: Job, seq: number): void {
    tellBefore(seq);
    current = next;
    const untold = untoldOutputs();
    const status = frames.status(current);
    const frame = toFrame('status', status, idOf(seq));
    for (const [{ stream, origin }, told] of listeners) {
      for (const result of untold) stream.send(frames.output(current, result, { origin, id: undefined }));
      // Phases that the contract does not know change nothing for its reader.
      if (told.status !== status) stream.send(frame);
      told.status = status;
    }
    if (isTerminal(current.state.status)) close();
  }

  /** Results of a job that is done which were never told one by one: of a second run, or of another process. */
  function untoldOutputs(): JobResult[] {
    if (current.state.status !== 'succeeded') return [];
    const told = new Set(
      feed.missedBy(current, 0).flatMap((event) => (event.type === 'output' ? [event.result.id] : [])),
    );
    return outputsNow(current, []).filter(({ id }) => !told.has(id));
  }

  function tellOne(listener: Listener, told: Told, event: FeedEvent, id: number | undefined): void {
    const { stream, origin } = listener;
    if (event.type === 'output') return stream.send(frames.output(current, event.result, { origin, id }));
    if (event.type !== 'status') return stream.send(frames.snapshot(event, id));
    if (isTerminal(event.job.state.status)) {
      for (const result of untoldOutputs())
        stream.send(frames.output(current, result, { origin, id: undefined }));
    }
    const status = frames.status(event.job);
    if (told.status !== status) stream.send(toFrame('status', status, id));
    told.status = status;
  }

  /** How things stand: the state, then the rest. Its number comes with the last event, so that who loses the connection in between gets it all again. */
  function tellPresent(listener: Listener, told: Told): void {
    const missed = feed.missedBy(current, 0).filter(isShown);
    const isOver = isTerminal(current.state.status);
    const last = (type: FeedEvent['type']) => missed.findLast((event) => event.type === type);
    const status = last('status');
    const rest = [last('progress'), last('preview'), ...missed.filter(({ type }) => type === 'output')];
    const events = isOver ? [...rest, status] : [status, ...rest];
    const present = events.filter((event) => event !== undefined);
    const id = idOf(missed.at(-1)?.seq);
    for (const [at, event] of present.entries())
      tellOne(listener, told, event, at === present.length - 1 ? id : undefined);
  }

  function close(): void {
    clearTimeout(gap);
    following.stop();
    const streams = [...listeners.keys()];
    listeners.clear();
    for (const { stream } of streams) stream.end();
  }

  const following = feed.follow(current, 0, onEvent);
  return {
    join(listener, after) {
      const told: Told = { seq: feed.position(current), status: undefined };
      listeners.set(listener, told);
      if (after === 0) tellPresent(listener, told);
      else
        for (const event of feed.missedBy(current, after).filter(isShown))
          tellOne(listener, told, event, idOf(event.seq));
      if (isTerminal(current.state.status)) close();
    },
    leave: (listener) => void listeners.delete(listener),
    tellPosition() {
      if (!isWaiting(current)) return;
      const status = frames.status(current);
      const frame = toFrame('status', status);
      for (const [{ stream }, told] of listeners) {
        if (told.status !== status) stream.send(frame);
        told.status = status;
      }
    },
    get isEmpty() {
      return listeners.size === 0;
    },
    close,
  };
}
