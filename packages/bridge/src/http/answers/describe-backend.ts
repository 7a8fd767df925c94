import type { BackendDescription } from '@comfy-bridge/protocol';

import { statusOf } from '../../backends/backend-status.ts';
import { settleBreaker } from '../../backends/breaker.ts';
import { foreignPrompts } from '../../backends/fleet.ts';
import type { Backend } from '../../backends/fleet.ts';
import { describeOwnersPause, isPausedByOwner } from '../../backends/lending.ts';

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
  return isPausedByOwner(backend) ? describeOwnersPause(backend) : null;
}

function lendingOf({ lending }: Backend): BackendDescription['lending'] {
  if (!lending) return null;
  const { state, reason, until } = lending;
  return { state, reason, until: until === null ? null : toTime(until) };
}

function knownBytes(bytes: number): number | null {
  return bytes > 0 ? bytes : null;
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
