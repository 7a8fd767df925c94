import { maxGroupJobs } from '@comfy-bridge/protocol';

import { BridgeError } from '../../errors.ts';
import type { JobGroup } from '../../jobs/group-view.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import { JobStoreError } from '../../jobs/job-store.ts';
import type { BoundInputs, InputProblem } from '../../workflows/inputs/bind-inputs.ts';
import { expandSweep } from '../../workflows/inputs/expand-sweep.ts';
import type { SweepMode } from '../../workflows/inputs/expand-sweep.ts';
import { messageForProblems } from '../../workflows/inputs/input-messages.ts';
import { requireWorkflow } from '../../workflows/catalog/require-workflow.ts';
import { resolveInputKeys } from '../../workflows/inputs/resolve-input-keys.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { toPublishedRequest } from './bind-request.ts';
import type { BindRequest } from './bind-request.ts';
import type { AcceptOptions, JobIntake } from './job-intake.ts';
import type { JobGroups } from './job-groups.ts';

export interface SubmitNamedDeps {
  intake: JobIntake;
  workflows: WorkflowCatalog;
  bind: BindRequest;
  groups: JobGroups;
  cancel(id: JobId, reason: string): Promise<Job | undefined>;
}

export interface NamedRequest {
  owner: string;
  account: string;
  /** 0 is normal, more is sooner. */
  priority: number;
  previews: boolean;
  workflow: string;
  /** By name, label or key; lists for one job each. */
  inputs: Readonly<Record<string, unknown>>;
  combine: SweepMode;
}

export type NamedSubmission = { kind: 'job'; job: Job } | { kind: 'group'; group: JobGroup; jobs: Job[] };

/** Runs a published workflow, once or for every value of its lists: all of the jobs are accepted, or none. */
export type SubmitNamed = (request: NamedRequest, options?: AcceptOptions) => Promise<NamedSubmission>;

/** Text in all the values of a group together: each job is kept with its own copy of the graph. */
const maxGroupCharacters = 64 * 1024 * 1024;

export function createSubmitNamed(deps: SubmitNamedDeps): SubmitNamed {
  const { intake, groups } = deps;

  return async ({ workflow: alias, inputs, combine, ...request }, options) => {
    intake.checkOpen();
    const workflow = await requireWorkflow(deps.workflows, alias, 'not_found');
    const resolved = resolveInputKeys(workflow, inputs);
    if (!resolved.ok) throw refuse(resolved.problems);
    const { values, calledAs } = resolved;
    const expanded = expandSweep(values, { combine, maxJobs: maxGroupJobs });
    if (!expanded.ok) throw refuse(expanded.problems, calledAs);
    const sets = expanded.kind === 'group' ? expanded.values : [expanded.values];
    checkSize(sets);
    const bound = await deps.bind(workflow, sets, {
      account: request.account,
      uploader: request.account,
    });
    const caller = { ...request, clientId: null, leaseMs: null };
    const requests = takeBound(bound, calledAs).map((one) => toPublishedRequest(workflow, one, caller));
    const jobs = await intake.accept(requests, options);
    if (expanded.kind === 'group')
      return {
        kind: 'group',
        jobs,
        group: await keepGroup(jobs, { workflow: workflow.alias, account: request.account }),
      };
    const [job] = jobs;
    if (job === undefined) throw new Error('an accepted request is a job');
    return { kind: 'job', job };
  };

  async function keepGroup(
    jobs: readonly Job[],
    group: Pick<JobGroup, 'account' | 'workflow'>,
  ): Promise<JobGroup> {
    try {
      return await groups.create({ ...group, jobIds: jobs.map(({ id }) => id) });
    } catch (error) {
      // Nobody could ever ask for them together.
      for (const { id } of jobs) await deps.cancel(id, 'not accepted');
      if (!(error instanceof JobStoreError)) throw error;
      const code = error.reason === 'full' ? 'storage_full' : 'unavailable';
      throw new BridgeError(code, `${error.message}: try again later`, { cause: error });
    }
  }
}

function checkSize(sets: readonly Readonly<Record<string, unknown>>[]): void {
  let characters = 0;
  for (const values of sets)
    for (const value of Object.values(values)) if (typeof value === 'string') characters += value.length;
  if (sets.length > 1 && characters > maxGroupCharacters) {
    throw new BridgeError(
      'too_large',
      `these jobs hold more than ${maxGroupCharacters} characters of text together: submit fewer at once`,
    );
  }
}

type Bound = Extract<BoundInputs, { ok: true }>;

/** All of them, or a refusal with what is wrong with any. */
function takeBound(bound: readonly BoundInputs[], calledAs: (key: string) => string): Bound[] {
  const problems = bound.flatMap((one) => (one.ok ? [] : one.problems));
  if (problems.length > 0) throw refuse(problems, calledAs);
  return bound.filter((one): one is Bound => one.ok);
}

/** `details.inputs` has the first reason for each input, under the name that the caller used. */
function refuse(problems: readonly InputProblem[], calledAs = (key: string) => key): BridgeError {
  const said = problems.map(({ key, message }) => ({ key: calledAs(key), message }));
  const distinct = [...new Map(said.map((one) => [`${one.key}\n${one.message}`, one])).values()];
  const reasons = new Map<string, string>();
  for (const { key, message } of distinct) {
    const name = key.slice(0, maxNameLength);
    if (!reasons.has(name) && reasons.size < maxReasons) reasons.set(name, message);
  }
  const code = problems.every(({ isMissingAsset }) => isMissingAsset === true)
    ? 'missing_asset'
    : 'invalid_input';
  return new BridgeError(code, messageForProblems(distinct), {
    details: { inputs: Object.fromEntries(reasons) },
  });
}

/** A caller may have invented any number of names of any length. */
const maxReasons = 100;
const maxNameLength = 200;
