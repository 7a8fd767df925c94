import { ComfyError } from '../comfy/comfy-error.ts';
import type { ObjectInfoReader, ReadOutcome } from '../comfy/object-info-reader.ts';
import type { Events } from '../events.ts';
import type { Gate } from '../lib/gate.ts';
import type { Logger } from '../logging.ts';
import type { Backend } from './fleet.ts';
import { keepSuspicions } from './suspicions.ts';

export interface OfferDeps {
  backend: Backend;
  events: Events;
  log: Logger;
  reader: ObjectInfoReader;
  /** Before the whole of what a backend offers is fetched: each is tens of megabytes. */
  gate: Gate;
}

/** Fetches all that a backend offers. True when it could be read; else the last that could be still counts. */
export type FetchOffer = () => Promise<{ ok: boolean; at: number; tookMs: number }>;

export function createOfferFetcher(
  { backend, events, log, reader, gate }: OfferDeps,
  { signal, now }: { signal: AbortSignal; now: () => number },
): FetchOffer {
  /** Of the last answer that could be read. */
  let bodyHash: string | undefined;

  async function fetchWhole(): Promise<ReadOutcome> {
    try {
      return await reader.read(await backend.client.objectInfo(signal), bodyHash);
    } catch (error) {
      signal.throwIfAborted();
      log.debug({ backend: backend.name, err: error }, 'could not fetch the node classes');
      return { kind: 'unusable', problem: toProblem(error) };
    }
  }

  function adopt(outcome: Exclude<ReadOutcome, { kind: 'unusable' }>): void {
    const before = backend.definitions;
    const after = outcome.kind === 'read' ? outcome.definitions : before;
    backend.suspicions = keepSuspicions(backend.suspicions, { before, after, now: now() });
    if (outcome.kind === 'same') return;
    bodyHash = outcome.bodyHash;
    backend.definitionsSignature = outcome.signature;
    if (before === after) return;
    backend.definitions = after;
    if (backend.state.status === 'ready') events.emit('backend:capacity', { backend: backend.name });
  }

  function tellProblem(problem: string | null): void {
    if (problem === backend.offerProblem) return;
    backend.offerProblem = problem;
    if (problem !== null) log.warn({ backend: backend.name, problem }, 'cannot read what a backend offers');
  }

  return async () => {
    const leave = await gate.enter(signal);
    const began = performance.now();
    try {
      const outcome = await fetchWhole();
      signal.throwIfAborted();
      tellProblem(outcome.kind === 'unusable' ? outcome.problem : null);
      if (outcome.kind !== 'unusable') adopt(outcome);
      return { ok: outcome.kind !== 'unusable', at: now(), tookMs: performance.now() - began };
    } finally {
      leave();
    }
  };
}

function toProblem(error: unknown): string {
  const failure = error instanceof ComfyError ? error.failure : undefined;
  switch (failure) {
    case 'too-large':
      return 'its list of nodes is larger than 64 MB';
    case 'timeout':
      return 'it takes too long to list its nodes';
    case 'status':
      return 'it refuses to list its nodes';
    default:
      return 'the connection breaks when it lists its nodes';
  }
}
