import type { Job, JobId } from '../src/jobs/job.ts';

let made = 0;

/** A queued job with an id of its own. */
export function newJob(fields: Partial<Job> = {}): Job {
  made += 1;
  return {
    id: `00000000-0000-4000-8000-${String(made).padStart(12, '0')}` as JobId,
    clientId: 'client',
    workflow: 'text-to-image',
    prompt: {
      '3': { class_type: 'KSampler', inputs: { seed: 18446744073709551615n, cfg: 7.5, model: ['4', 0] } },
    },
    stagedInputs: [{ nodeId: '10', inputName: 'image', source: { kind: 'upload', savedName: 'x.png' } }],
    outputNodes: ['9'],
    createdAt: 1_000 + made,
    state: { status: 'queued' },
    attempt: 0,
    leaseMs: null,
    owner: null,
    hedge: null,
    account: null,
    priority: 0,
    previews: false,
    hasCredentials: false,
    attempts: [],
    revision: 0,
    excluded: [],
    startedAt: null,
    finishedAt: null,
    deliveredAt: null,
    ...fields,
  };
}
