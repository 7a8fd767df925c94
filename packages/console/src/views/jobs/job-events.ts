import type { BridgeJob } from '@comfy-bridge/protocol';

/** Something that happened to a job. `key` is a text of the view. */
export interface JobEvent {
  /** ISO time. */
  at: string;
  key: JobEventKey;
  values: Readonly<Record<string, string | number>>;
}

export type JobEventKey =
  | 'event-came'
  | 'event-assigned'
  | 'event-executing'
  | 'event-attempt-succeeded'
  | 'event-attempt-failed'
  | 'event-attempt-lost'
  | 'event-attempt-moved'
  | 'event-attempt-canceled'
  | 'event-succeeded'
  | 'event-failed'
  | 'event-canceled'
  | 'event-delivered'
  | 'event-node'
  | 'event-collecting'
  | 'event-canceling'
  | 'event-output'
  | 'event-priority';

/** What its record tells; oldest first. */
export function eventsOf(job: BridgeJob): JobEvent[] {
  const events: JobEvent[] = [{ at: job.created_at, key: 'event-came', values: {} }];
  for (const { number, backend, started_at, executing_at, ended_at, outcome } of job.attempts) {
    const values = { n: number, backend };
    if (started_at !== null) events.push({ at: started_at, key: 'event-assigned', values });
    if (executing_at !== null) events.push({ at: executing_at, key: 'event-executing', values });
    if (ended_at !== null && outcome !== null)
      events.push({ at: ended_at, key: `event-attempt-${outcome}`, values });
  }
  const { completed_at: completed, delivered_at: delivered, status } = job;
  if (completed !== null && (status === 'succeeded' || status === 'failed' || status === 'canceled'))
    events.push({
      at: completed,
      key: `event-${status}`,
      values: { count: job.outputs.length, reason: job.error?.message ?? '' },
    });
  if (delivered !== null) events.push({ at: delivered, key: 'event-delivered', values: {} });
  return sortEvents(events);
}

/** What can only be seen as it happens: the difference that an event made. */
export function eventsBetween(before: BridgeJob, after: BridgeJob, at: string): JobEvent[] {
  const events: JobEvent[] = [];
  const node = after.progress?.current_node_class ?? null;
  if (node !== null && node !== (before.progress?.current_node_class ?? null))
    events.push({ at, key: 'event-node', values: { node } });
  if (after.phase === 'collecting' && before.phase !== 'collecting')
    events.push({ at, key: 'event-collecting', values: {} });
  if (after.status === 'canceling' && before.status !== 'canceling')
    events.push({ at, key: 'event-canceling', values: {} });
  const count = after.outputs.length - before.outputs.length;
  if (count > 0 && !after.finished) events.push({ at, key: 'event-output', values: { count } });
  if (after.priority !== before.priority)
    events.push({ at, key: 'event-priority', values: { n: after.priority } });
  return events;
}

/** By time; what happened in the same millisecond stays in its order. */
export function sortEvents(events: readonly JobEvent[]): JobEvent[] {
  return events.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
