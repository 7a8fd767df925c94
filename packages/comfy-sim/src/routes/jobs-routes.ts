import { json } from '../http-reply.ts';
import type { HistoryItem, QueueItem } from '../wire.ts';
import { isRecord } from '../wire.ts';
import type { RouteRequest, Routes } from './route.ts';

type JobStatus = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
interface Job {
  id: string;
  status: JobStatus;
  priority: number;
  outputs_count: number;
  [key: string]: unknown;
}

/** The `/api/jobs` of servers from 2026 on; served only when `features.jobsApi` is set, and only under `/api`. */
export const jobsRoutes: Routes = {
  'GET /jobs': ({ engine, query }) => {
    const wanted = query.get('status')?.split(',');
    const jobs = allJobs(engine).filter((job) => !wanted || wanted.includes(job.status));
    const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? jobs.length)];
    if (Number.isNaN(offset) || Number.isNaN(limit))
      return json({ error: 'limit and offset must be integers' }, 400);
    const page = jobs.slice(offset, offset + limit);
    const has_more = offset + page.length < jobs.length;
    return json({ jobs: page, pagination: { offset, limit, total: jobs.length, has_more } });
  },
  'GET /jobs/:id': ({ engine, params: { id = '' } }) => {
    const job = allJobs(engine).find((candidate) => candidate.id === id);
    if (!job) return json({ error: 'Job not found' }, 404);
    const entry = engine.queue.historyOf(id)[id];
    return json(entry ? { ...job, outputs: entry.outputs, execution_status: entry.status } : job);
  },
  'POST /jobs/:id/cancel': ({ engine, params: { id = '' } }) => json({ cancelled: cancel(engine, id) }),
  'POST /jobs/cancel': ({ engine, json: body }) => {
    const request = body();
    const ids = isRecord(request) ? request.job_ids : undefined;
    if (!Array.isArray(ids)) return json({ error: 'job_ids must be a list' }, 400);
    return json({ cancelled: ids.map((id) => cancel(engine, String(id))).some(Boolean) });
  },
};

function cancel(engine: RouteRequest['engine'], id: string): boolean {
  return engine.queue.delete(id) || engine.interrupt(id);
}

function allJobs({ queue }: RouteRequest['engine']): Job[] {
  return [
    ...queue.pending.map((item) => jobOf(item, 'pending')),
    ...(queue.running ? [jobOf(queue.running, 'in_progress')] : []),
    ...queue
      .historyIds()
      .toReversed()
      .flatMap((id) => Object.values(queue.historyOf(id)))
      .map((entry) => ({
        ...jobOf(entry.prompt, endOf(entry)),
        outputs_count: Object.keys(entry.outputs).length,
      })),
  ];
}

function jobOf([priority, id, , { create_time: created }]: QueueItem, status: JobStatus): Job {
  return {
    id,
    status,
    priority,
    outputs_count: 0,
    ...(created === undefined ? {} : { create_time: created }),
  };
}

function endOf({ status }: HistoryItem): JobStatus {
  if (status.completed) return 'completed';
  return status.messages.some(([event]) => event === 'execution_interrupted') ? 'cancelled' : 'failed';
}
