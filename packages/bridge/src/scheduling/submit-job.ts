import { randomUUID } from 'node:crypto';

import type { Fleet } from '../backends/fleet.ts';
import { BridgeError } from '../errors.ts';
import type { FileKey } from '../files/file-store.ts';
import { isSavedName } from '../files/saved-name.ts';
import { isTerminal, parseJobId } from '../jobs/job.ts';
import type { Job } from '../jobs/job.ts';
import type { JobLedger } from '../jobs/job-ledger.ts';
import { createKeyedMutex } from '../lib/keyed-mutex.ts';
import { bindInputs } from '../workflows/bind-inputs.ts';
import { messageForProblems, unknownWorkflowMessage } from '../workflows/input-messages.ts';
import type { WorkflowCatalog } from '../workflows/workflow-catalog.ts';
import type { ClassifyJob } from './classify-job.ts';
import { findObstacles } from './find-obstacles.ts';
import type { BackendJudge } from './judge-backend.ts';

export interface SubmitDeps {
  ledger: JobLedger;
  fleet: Fleet;
  classify: ClassifyJob;
  judge: BackendJudge;
  workflows: WorkflowCatalog;
  /** Marks an upload as used now; false when there is no such file (any more). */
  touchUpload(key: FileKey): Promise<boolean>;
  isSample(fileName: string): boolean;
  queueLength(): number;
  /** The lease that the client's open sockets ask for, in ms; null without a socket, or when they keep their jobs. */
  leaseOf(clientId: string): number | null;
  isDraining(): boolean;
  now: () => number;
}

export interface SubmitOptions {
  maxQueuedJobs: number;
  /** What a submit gets while no backend answers: a place in the queue, or a refusal. */
  whenNoBackend: 'queue' | 'refuse';
}

export interface SubmitRequest {
  /** The compatibility API's handle; null for other APIs. */
  clientId: string | null;
  /** Who shares the fleet fairly with the others; null: nobody in common with any other job. */
  owner: string | null;
  /** 0 is normal, more is sooner. */
  priority: number;
  workflow: string;
  values: Record<string, unknown>;
}

/** The command behind every way to run a workflow: checks everything, records the job, announces it. */
export type SubmitJob = (request: SubmitRequest) => Promise<Job>;

export function createSubmitJob(deps: SubmitDeps, options: SubmitOptions): SubmitJob {
  const { ledger, workflows, fleet } = deps;
  const mutex = createKeyedMutex();
  /** Jobs that passed the check and are on their way into the store, and so into the queue. */
  let arriving = 0;

  async function submit({ clientId, owner, priority, workflow: alias, values }: SubmitRequest): Promise<Job> {
    if (deps.isDraining())
      throw new BridgeError('draining', 'the bridge is shutting down: try again in a moment');
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
    if (clientId !== null) await makeRoomFor(clientId);
    const uploaded = await findUploads(values);
    const bound = bindInputs(workflow, values, {
      findDefinition: fleet.findDefinition,
      isUploaded: (savedName) => uploaded.has(savedName),
      isSample: deps.isSample,
    });
    if (!bound.ok) throw new BridgeError('invalid_input', messageForProblems(bound.problems));
    checkCapacity({ ...bound, workflow: workflow.alias });
    const job: Job = {
      id: parseJobId(randomUUID()),
      clientId,
      leaseMs: clientId === null ? null : deps.leaseOf(clientId),
      owner,
      priority,
      workflow: workflow.alias,
      prompt: bound.prompt,
      stagedInputs: bound.stagedInputs,
      outputNodes: workflow.outputNodes,
      createdAt: deps.now(),
      state: { status: 'queued' },
      attempt: 0,
      attempts: [],
      hedge: null,
      revision: 0,
      excluded: [],
      startedAt: null,
      finishedAt: null,
      deliveredAt: null,
    };
    arriving += 1;
    try {
      await ledger.submit(job);
    } finally {
      arriving -= 1;
    }
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

  function checkCapacity(job: Parameters<ClassifyJob>[0]): void {
    if (deps.queueLength() + arriving >= options.maxQueuedJobs) {
      throw new BridgeError(
        'queue_full',
        `the queue is full (${options.maxQueuedJobs} jobs wait): try again later`,
      );
    }
    if (options.whenNoBackend === 'refuse' && fleet.ready().length === 0) {
      throw new BridgeError('no_backend', 'no ComfyUI is reachable at the moment: try again later');
    }
    const obstacles = findObstacles({ fleet, judge: deps.judge }, deps.classify(job));
    if (obstacles !== undefined) throw new BridgeError('no_backend', obstacles, { retryAfter: 60 });
  }

  return (request) =>
    request.clientId === null ? submit(request) : mutex.run(request.clientId, () => submit(request));
}
