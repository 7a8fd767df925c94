import type { Fleet } from '../backends/fleet.ts';
import { BridgeError } from '../errors.ts';
import type { FileKey } from '../files/file-store.ts';
import { isSavedName } from '../files/saved-name.ts';
import { isTerminal } from '../jobs/job.ts';
import type { Job } from '../jobs/job.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import { createKeyedMutex } from '../lib/keyed-mutex.ts';
import { bindInputs } from '../workflows/bind-inputs.ts';
import { messageForProblems, unknownWorkflowMessage } from '../workflows/input-messages.ts';
import type { WorkflowCatalog } from '../workflows/workflow-catalog.ts';
import type { JobIntake } from './job-intake.ts';

export interface SubmitDeps {
  intake: JobIntake;
  ledger: JobLedger;
  fleet: Fleet;
  workflows: WorkflowCatalog;
  /** Marks an upload as used now; false when there is no such file (any more). */
  touchUpload(key: FileKey): Promise<boolean>;
  isSample(fileName: string): boolean;
  /** The lease that the client's open sockets ask for, in ms; null without a socket, or when they keep their jobs. */
  leaseOf(clientId: string): number | null;
  now: () => number;
}

export interface SubmitRequest {
  /** The client's handle on its job made last. */
  clientId: string;
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
  const { intake, ledger, workflows, fleet } = deps;
  const mutex = createKeyedMutex();

  async function submit({ clientId, workflow: alias, values, ...request }: SubmitRequest): Promise<Job> {
    intake.checkOpen();
    await workflows.refreshSoon();
    const workflow = workflows.get(alias);
    if (workflow === undefined) {
      throw new BridgeError(
        'unknown_workflow',
        unknownWorkflowMessage(
          alias,
          workflows.list().map((known) => known.alias),
        ),
      );
    }
    await makeRoomFor(clientId);
    const uploaded = await findUploads(values);
    const bound = bindInputs(workflow, values, {
      findDefinition: fleet.findDefinition,
      isUploaded: (savedName) => uploaded.has(savedName),
      isSample: deps.isSample,
    });
    if (!bound.ok) throw new BridgeError('invalid_input', messageForProblems(bound.problems));
    const [job] = await intake.accept([
      {
        ...request,
        clientId,
        leaseMs: deps.leaseOf(clientId),
        previews: false,
        hasCredentials: false,
        workflow: workflow.alias,
        prompt: bound.prompt,
        stagedInputs: bound.stagedInputs,
        outputNodes: workflow.outputNodes,
      },
    ]);
    if (job === undefined) throw new Error('an accepted request is a job');
    return job;
  }

  /** One unfinished job per `clientId`; a finished one gives way, with whatever of it was not fetched. */
  async function makeRoomFor(clientId: string): Promise<void> {
    const previous = await ledger.latestOf(clientId);
    if (previous === undefined) return;
    if (!isTerminal(previous.state.status)) {
      throw new BridgeError(
        'job_unfinished',
        `clientId ${clientId} has an unfinished job: wait for it, interrupt it, or use another clientId`,
      );
    }
    await ledger.apply(previous.id, { type: 'expired', at: deps.now() });
  }

  async function findUploads(values: Record<string, unknown>): Promise<Set<string>> {
    const names = Object.values(values).filter((value) => typeof value === 'string' && isSavedName(value));
    const found = await Promise.all(
      [...new Set(names)].map(async (name) =>
        (await deps.touchUpload(`uploads/${String(name)}`)) ? [String(name)] : [],
      ),
    );
    return new Set(found.flat());
  }

  return (request) => mutex.run(request.clientId, () => submit(request));
}
