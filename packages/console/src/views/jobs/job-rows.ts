import type { BridgeJob } from '@comfy-bridge/protocol';

/** A job in a list. `isGone`: it was forgotten since. */
export interface Row {
  job: BridgeJob;
  isGone: boolean;
}

export type RowEvent =
  | { kind: 'job'; job: BridgeJob }
  | { kind: 'progress'; id: string; progress: BridgeJob['progress']; eta: BridgeJob['eta'] }
  | {
      kind: 'queue';
      id: string;
      queue_position: number | null;
      eta: BridgeJob['eta'];
      waits_because: string | null;
    }
  | { kind: 'gone'; id: string };

export function idOf(event: RowEvent): string {
  return event.kind === 'job' ? event.job.id : event.id;
}

/** The job after an event of it. */
export function changeJob(job: BridgeJob, event: RowEvent): BridgeJob {
  switch (event.kind) {
    case 'job':
      return event.job;
    case 'progress':
      // One that comes late says nothing of a job that has ended.
      return job.finished ? job : { ...job, progress: event.progress, eta: event.eta };
    case 'queue': {
      const { queue_position, eta, waits_because } = event;
      return job.status === 'queued' ? { ...job, queue_position, eta, waits_because } : job;
    }
    case 'gone':
      return job;
  }
}

/** The same array when the event is of none of them: most are not. */
export function changeRows(rows: readonly Row[], event: RowEvent): readonly Row[] {
  const id = idOf(event);
  const index = rows.findIndex(({ job }) => job.id === id);
  const row = rows[index];
  if (row === undefined) return rows;
  return rows.with(index, {
    job: changeJob(row.job, event),
    isGone: row.isGone || event.kind === 'gone',
  });
}

/** Whether a job that is not in the list would be, were it read now: newer than the last of a full page. */
export function isNewer(job: BridgeJob, rows: readonly Row[], pageSize: number): boolean {
  const last = rows.at(-1);
  if (last === undefined || rows.length < pageSize) return true;
  return job.created_at > last.job.created_at;
}
