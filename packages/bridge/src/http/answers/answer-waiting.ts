import type { Request, Response } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { prefersBytes, takesBytes } from '../requests/read-preferences.ts';

/** Answers with the bytes of a result themselves. */
export type SendResult = (job: Job, result: JobResult, request: Request, response: Response) => Promise<void>;

/**
 * For who has waited for a job that has ended now, and asked for its picture, film or sound itself: sends that when there is
 * exactly one, and refuses (`run_failed`) when the job ended without results. False, and nothing sent, for anybody else.
 */
export async function answerWithBytes(
  job: Job,
  sendResult: SendResult,
  request: Request,
  response: Response,
): Promise<boolean> {
  if (!prefersBytes(request)) return false;
  const { state } = job;
  if (state.status === 'failed' || state.status === 'canceled') {
    response.setHeader('X-Job-Id', job.id);
    throw toRefusal(job, state);
  }
  if (state.status !== 'succeeded' || job.deliveredAt !== null) return false;
  const [result, ...others] = state.results.filter(({ contentType }) => takesBytes(request, contentType));
  if (result === undefined || others.length > 0) return false;
  response.setHeader('X-Job-Id', job.id);
  await sendResult(job, result, request, response);
  return true;
}

function toRefusal(
  { id }: Job,
  state: Extract<Job['state'], { status: 'failed' | 'canceled' }>,
): BridgeError {
  if (state.status === 'canceled')
    return new BridgeError('run_failed', 'the job was canceled', {
      details: { job_id: id, status: 'canceled' },
    });
  const { error } = state;
  return new BridgeError('run_failed', error.message, { details: { job_id: id, status: 'failed', error } });
}
