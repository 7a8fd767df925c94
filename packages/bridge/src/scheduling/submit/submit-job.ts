import { BridgeError } from '../../errors.ts';
import { isTerminal } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import { messageForProblems } from '../../workflows/inputs/input-messages.ts';
import { requireWorkflow } from '../../workflows/catalog/require-workflow.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import { toPublishedRequest } from './bind-request.ts';
import type { BindRequest } from './bind-request.ts';
import type { JobIntake } from './job-intake.ts';

export interface SubmitDeps {
  intake: JobIntake;
  ledger: JobLedger;
  workflows: WorkflowCatalog;
  bind: BindRequest;
  /** The lease that the client's open sockets ask for, in ms; null without a socket, or when they keep their jobs. */
  leaseOf(clientId: string): number | null;
  now: () => number;
}

export interface SubmitRequest {
  /** The client's handle on its job made last, as it is kept. */
  clientId: string;
  /** The same as the client knows it. */
  shownClientId: string;
  /** Who shares the fleet fairly with the others; null: nobody in common with any other job. */
  owner: string;
  account: string;
  /** 0 is normal, more is sooner. */
  priority: number;
  workflow: string;
  values: Record<string, unknown>;
}

/** Runs a workflow for a client of the compatibility API: checks everything, records the job, announces it. */
export type SubmitJob = (request: SubmitRequest) => Promise<Job>;

export function createSubmitJob(deps: SubmitDeps): SubmitJob {
  const { intake, ledger, workflows } = deps;
  const mutex = createKeyedMutex();

  async function submit({
    clientId,
    shownClientId,
    workflow: alias,
    values,
    ...request
  }: SubmitRequest): Promise<Job> {
    intake.checkOpen();
    const workflow = await requireWorkflow(workflows, alias, 'unknown_workflow');
    const previous = await findFinished(clientId, shownClientId);
    const [bound] = await deps.bind(workflow, [values], { uploader: request.account });
    if (bound === undefined) throw new Error('what is bound is one job');
    if (!bound.ok) throw new BridgeError('invalid_input', messageForProblems(bound.problems));
    const caller = { ...request, clientId, leaseMs: deps.leaseOf(clientId), previews: false };
    const [job] = await intake.accept([toPublishedRequest(workflow, bound, caller)], {
      // Not before: a request that is refused leaves the results of the one before it where they are.
      prepare: async () => {
        if (previous !== undefined) await ledger.apply(previous.id, { type: 'expired', at: deps.now() });
      },
    });
    if (job === undefined) throw new Error('an accepted request is a job');
    return job;
  }

  /** One unfinished job per `clientId`; a finished one gives way to the next, with whatever of it was not fetched. */
  async function findFinished(clientId: string, shown: string): Promise<Job | undefined> {
    const previous = await ledger.latestOf(clientId);
    if (previous === undefined || isTerminal(previous.state.status)) return previous;
    throw new BridgeError(
      'job_unfinished',
      `clientId ${shown} has an unfinished job: wait for it, interrupt it, or use another clientId`,
    );
  }

  return (request) => mutex.run(request.clientId, () => submit(request));
}
