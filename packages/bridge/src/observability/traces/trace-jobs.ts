import type { Events } from '../../events.ts';
import type { Job } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import { planJobSpans } from './job-spans.ts';
import type { SpanPlan } from './job-spans.ts';
import type { SpanPlace, SpanWriter, TracerOptions } from './open-tracer.ts';
import { currentParent } from './trace-parent.ts';
import type { TraceParent } from './trace-parent.ts';

export interface TraceJobsDeps {
  events: Events;
  log: Logger;
  now: () => number;
}

/** Jobs of which something is remembered; of more, some have no parent, or no delivery in their trace. */
const maxRemembered = 10_000;
const complainMs = 60_000;

/**
 * One trace per job, written when the job has ended: `job` with its waits and attempts, and behind it its delivery and its
 * webhook. Loads the SDK, so that a bridge without traces never does.
 */
export async function traceJobs(
  { events, log, now }: TraceJobsDeps,
  { closeMs, ...options }: TracerOptions & { closeMs: number },
): Promise<AsyncDisposable> {
  const { openTracer } = await import('./open-tracer.ts');
  const writer = openTracer(options, createComplaint(log, now));
  const parents = createRecent<TraceParent>();
  const collecting = createRecent<Map<number, number>>();
  const written = createRecent<TraceParent>();

  const unsubscribe = [
    events.on('job:queued', ({ job }) => {
      const parent = job.attempt === 0 ? currentParent() : undefined;
      if (parent !== undefined) parents.set(job.id, parent);
    }),
    events.on('job:phase', ({ job: { id, attempt, state } }) => {
      if (state.status !== 'running' || state.phase !== 'collecting') return;
      collecting.set(id, (collecting.get(id) ?? new Map<number, number>()).set(attempt, now()));
    }),
    events.on('job:finished', ({ job }) => {
      const plan = planJobSpans(job, collecting.get(job.id) ?? new Map());
      const root = writer.write(plan, parents.get(job.id), 'served');
      parents.delete(job.id);
      collecting.delete(job.id);
      if (root !== undefined) written.set(job.id, root);
    }),
    events.on('job:delivered', ({ job }) =>
      writeBehind(writer, written.get(job.id), toDelivery(job), 'part'),
    ),
    events.on('job:expired', ({ job }) => written.delete(job.id)),
    events.on('webhook:tried', ({ jobId, outcome, startedAt }) => {
      const isBad = outcome === 'failed' || outcome === 'given-up';
      const attributes = { 'comfy_bridge.webhook.outcome': outcome };
      const plan = { name: 'webhook', start: startedAt, end: now(), attributes, children: [] };
      writeBehind(writer, written.get(jobId), { ...plan, ...(isBad && { error: outcome }) }, 'call');
    }),
  ];
  return {
    async [Symbol.asyncDispose]() {
      unsubscribe.forEach((off) => off());
      await writer.close(closeMs);
    },
  };
}

function writeBehind(
  writer: SpanWriter,
  root: TraceParent | undefined,
  plan: SpanPlan,
  place: SpanPlace,
): void {
  if (root !== undefined) writer.write(plan, root, place);
}

function toDelivery({ finishedAt, deliveredAt, createdAt }: Job): SpanPlan {
  const start = finishedAt ?? createdAt;
  return { name: 'delivery', start, end: deliveredAt ?? start, attributes: {}, children: [] };
}

/** A collector that is down says so for every batch: the first is told, and then once a minute how many. */
function createComplaint(log: Logger, now: () => number): (error: unknown) => void {
  let toldAt = -Infinity;
  let failures = 0;
  return (error) => {
    failures += 1;
    if (now() - toldAt < complainMs) return;
    log.warn({ err: error, failures }, 'traces could not be sent');
    toldAt = now();
    failures = 0;
  };
}

/** A map that forgets its oldest entry when it is full. */
function createRecent<T>() {
  const entries = new Map<string, T>();
  return {
    get: (id: string) => entries.get(id),
    delete: (id: string) => entries.delete(id),
    set(id: string, value: T) {
      const [oldest] = entries.size >= maxRemembered && !entries.has(id) ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(id, value);
    },
  };
}
