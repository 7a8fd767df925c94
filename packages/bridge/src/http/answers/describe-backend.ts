import type { BackendDescription } from '@comfy-bridge/protocol';

import { statusOf } from '../../backends/backend-status.ts';
import { settleBreaker } from '../../backends/breaker.ts';
import { foreignPrompts } from '../../backends/fleet.ts';
import type { Backend } from '../../backends/fleet.ts';
import { describeOwnersPause, isPausedByOwner } from '../../backends/lending.ts';
import type { Evidence } from '../../backends/standing.ts';

/** What operators are told of a backend; neither its address nor its token. */
export function describeBackend(backend: Backend, now: number): BackendDescription {
  const { name, state, settings, version, definitions, queueRemaining, slots } = backend;
  return {
    name,
    status: statusOf(backend),
    trust: settleBreaker(backend.breaker, now).state,
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
    jobs: [...slots.values()].map(({ jobId, workflow, executingSince }) => ({
      id: jobId,
      workflow,
      executing_since: executingSince === null ? null : toTime(executingSince),
    })),
  };
}

/** `host:port`: nothing that a proxy in front of it would take for a secret. */
export function addressOf({ endpoint }: Backend): string {
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
