import type { BridgeJob } from '@comfy-bridge/protocol';

import { formatDuration, formatNumber } from '../../../words/language.ts';
import { jobWords as t } from './job-words.ts';

const codes = [
  'out_of_memory',
  'no_capable_backend',
  'backend_lost',
  'timed_out',
  'result_refused',
  'no_results',
  'interrupted',
  'node_execution_error',
  'invalid_workflow',
] as const;

/** What a person can do about a job that failed. */
export function hintOf(code: string): string {
  const known = codes.find((candidate) => candidate === code);
  return t(`hint-${known ?? 'internal'}`);
}

/** Where a job stands, in a few words; `now` in ms since the epoch. */
export function standingOf(job: BridgeJob, now: number): string {
  if (job.status === 'canceling') return t('stopping');
  return [placeOf(job), etaOf(job, now)].filter((part) => part !== '').join(' · ');
}

function placeOf(job: BridgeJob): string {
  if (job.status === 'queued') {
    if (job.queue_position === null) return t('waits');
    return job.queue_position === 0 ? t('next') : t('ahead', { count: formatNumber(job.queue_position) });
  }
  if (job.phase === 'staging') return t('staging');
  if (job.phase === 'collecting') return t('collecting');
  return workOf(job) ?? t('starting');
}

/** `KSampler, step 9 of 20`. */
function workOf({ progress }: BridgeJob): string | undefined {
  const node = progress?.current_node_class;
  if (progress === null || node === null || node === undefined) return undefined;
  const { step, steps } = progress;
  if (typeof step !== 'number' || typeof steps !== 'number') return node;
  return t('step', { node, step: formatNumber(step), steps: formatNumber(steps) });
}

function etaOf({ eta }: BridgeJob, now: number): string {
  if (eta?.at === null || eta?.at === undefined) return '';
  const ms = Date.parse(eta.at) - now;
  return ms < 1_000 ? t('soon') : t('done-in', { time: formatDuration(Math.round(ms / 1_000) * 1_000) });
}

/** How long it ran, once it has ended. */
export function tookOf({ started_at: started, completed_at: completed }: BridgeJob): string {
  if (started === null || completed === null) return '';
  return t('took', { time: formatDuration(Date.parse(completed) - Date.parse(started)) });
}
