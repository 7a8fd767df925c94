import type { BackendDescription, Progress } from '@comfy-bridge/protocol';

import { statusOf } from '../../backends/backend-status.ts';
import { settleBreaker } from '../../backends/breaker.ts';
import { foreignPrompts } from '../../backends/fleet.ts';
import type { Backend, SlotUse } from '../../backends/fleet.ts';
import { describeOwnersPause, isPausedByOwner } from '../../backends/lending.ts';
import type { Evidence } from '../../backends/standing.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { JobId } from '../../jobs/job.ts';
import type { FleetHistory } from '../../scheduling/fleet-history.ts';

export interface DescribeBackendDeps {
  progressOf(id: JobId): Progress | undefined;
  history: Pick<FleetHistory, 'endedRuns' | 'lastErrors'>;
  now: () => number;
}

export interface DescribeBackend {
  /** What operators are told of a backend; neither its address nor its token. */
  short(backend: Backend): BackendDescription;
  /** With where it is reached. */
  full(backend: Backend): BackendDescription & { address: string };
}

export function createDescribeBackend(deps: DescribeBackendDeps): DescribeBackend {
  const short = (backend: Backend) => describeBackend(backend, deps);
  return { short, full: (backend) => ({ ...short(backend), address: addressOf(backend) }) };
}

function describeBackend(backend: Backend, deps: DescribeBackendDeps): BackendDescription {
  const { name, state, settings, version, definitions, queueRemaining, slots, machine } = backend;
  return {
    name,
    status: statusOf(backend),
    trust: settleBreaker(backend.breaker, deps.now()).state,
    since: 'since' in state ? toTime(state.since) : null,
    reason: reasonOf(backend),
    version,
    node_classes: definitions?.size ?? null,
    offer_problem: backend.offerProblem,
    queue_remaining: queueRemaining,
    foreign_prompts: foreignPrompts(backend),
    memory: {
      total_bytes: knownBytes(backend.memoryBytes),
      usable_bytes: knownBytes(backend.usableMemoryBytes),
    },
    free_memory_bytes: knownBytes(backend.memoryBytes) && (machine?.freeMemoryBytes ?? null),
    gpu: machine?.gpu || null,
    python_version: machine?.pythonVersion || null,
    pytorch_version: machine?.pytorchVersion || null,
    loaded_models: [...backend.warmModels],
    suspicions: backend.suspicions.map(({ classType, inputName, value, since }) => ({
      class_type: classType,
      input: inputName,
      value,
      since: toTime(since),
    })),
    mode: settings.mode,
    weight: settings.weight,
    tags: settings.tags,
    workflows: settings.workflows,
    source: backend.source,
    lending: lendingOf(backend),
    quarantine: quarantineOf(backend),
    doubts: backend.standing.doubts.map(toEvidence),
    canary: canaryOf(backend),
    jobs: [...slots.values()].map((slot) => describeSlot(slot, deps)),
    ...describeHistory(name, deps),
  };
}

function describeSlot(
  { jobId, workflow, executingSince }: SlotUse,
  { progressOf }: DescribeBackendDeps,
): BackendDescription['jobs'][number] {
  const progress = progressOf(parseJobId(jobId));
  return {
    id: jobId,
    workflow,
    executing_since: executingSince === null ? null : toTime(executingSince),
    progress: progress?.value ?? null,
    node: progress?.current_node_class ?? null,
  };
}

function describeHistory(
  name: string,
  { history }: DescribeBackendDeps,
): Pick<BackendDescription, 'success' | 'last_errors'> {
  const { since, ...counts } = history.endedRuns(name);
  return {
    success: { ...counts, since: toTime(since) },
    last_errors: history
      .lastErrors(name)
      .map(({ at, reason, jobId }) => ({ at: toTime(at), reason, job_id: jobId })),
  };
}

/** `host:port`: nothing that a proxy in front of it would take for a secret. */
function addressOf({ endpoint }: Backend): string {
  const { hostname, port, protocol } = new URL(endpoint.url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

function reasonOf(backend: Backend): string | null {
  if (backend.state.status === 'lost') return backend.state.reason;
  if (backend.quarantine !== null) return backend.quarantine.reason;
  return isPausedByOwner(backend) ? describeOwnersPause(backend) : null;
}

function lendingOf({ lending }: Backend): BackendDescription['lending'] {
  if (!lending) return null;
  const { state, reason, until } = lending;
  return { state, reason, until: until === null ? null : toTime(until) };
}

function quarantineOf({ quarantine }: Backend): BackendDescription['quarantine'] {
  if (quarantine === null) return null;
  const { since, reason, evidence } = quarantine;
  return { since: toTime(since), reason, evidence: evidence.map(toEvidence) };
}

function canaryOf({ standing }: Backend): BackendDescription['canary'] {
  const { lastCanary, rightAt, unanswered } = standing;
  if (lastCanary === null) return null;
  const { at, outcome, detail } = lastCanary;
  const right_at = rightAt === null ? null : toTime(rightAt);
  return { at: toTime(at), outcome, detail, right_at, unanswered };
}

function toEvidence({ at, kind, detail, difference }: Evidence): BackendDescription['doubts'][number] {
  return { at: toTime(at), kind, detail, difference };
}

function knownBytes(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
