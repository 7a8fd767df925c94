import type { Progress } from '@comfy-bridge/protocol';

import type { Job, JobResult } from './jobs/job.ts';

/** Everything that happens in the bridge, one line each. Logs, sockets and counters hang off this, not off the engine. */
export interface BridgeEvents {
  /** A job was accepted and is on disk, or came back to the queue after a lost attempt. */
  'job:queued': { job: Job };
  /** Its operator wants it sooner, or later. */
  'job:reprioritized': { job: Job };
  /** An attempt began on a backend. */
  'job:assigned': { job: Job };
  /** It takes far too long: a second run of its attempt begins on an idle backend. */
  'job:hedged': { job: Job };
  /** The attempt went from staging to executing to collecting. */
  'job:phase': { job: Job };
  /** A newer progress snapshot; never persisted. */
  'job:progress': { job: Job; progress: Progress };
  /** A live preview picture of a running job; never persisted. */
  'job:preview': { job: Job; image: Buffer; contentType: string; node: string | null };
  /** A result of a running job is kept here, while the rest of it is still being made; lost with the attempt. */
  'job:output': { job: Job; result: JobResult };
  /** Somebody asked a running job to stop. */
  'job:canceling': { job: Job };
  /** The one terminal state: succeeded, failed or canceled. */
  'job:finished': { job: Job };
  /** The results had been sent completely. */
  'job:delivered': { job: Job };
  /** Results that nobody fetched are gone. */
  'job:expired': { job: Job };
  /** The job itself is gone: its caller wanted that, or its time was up. */
  'job:forgotten': { job: Job };
  /** An attempt ended without ending its job. `reason` is for the log, not for clients. */
  'attempt:lost': { job: Job; backend: string; attempt: number; kind: LossKind; reason: string };
  /** A backend answers and can take work. */
  'backend:ready': { backend: string; version: string | null; nodeClasses: number };
  /** A backend stopped answering. */
  'backend:lost': { backend: string; reason: string };
  /** An operator added a backend to the fleet; nobody has reached it yet. */
  'backend:added': { backend: string };
  /** A backend left the fleet; no job is on it. */
  'backend:removed': { backend: string };
  /** A backend did not have what it lists. */
  'backend:suspected': {
    backend: string;
    lacks: readonly {
      classType: string;
      inputName: string | null;
      value: string | number | boolean | null;
    }[];
  };
  /** The owner of a machine that is lent has paused it, or lends it again. `until`: ms since the epoch, where that is known. */
  'backend:lending': {
    backend: string;
    isPaused: boolean;
    reason: 'command' | 'owner-work' | 'schedule' | null;
    until: number | null;
  };
  /** A result of a backend was wrong, or not what another one made; that alone has no consequences. */
  'backend:doubted': {
    backend: string;
    kind: 'canary' | 'duplicate';
    detail: string;
    /** From 0 to 1; null where there was nothing to measure. */
    difference: number | null;
  };
  /** A backend's results are not believed any more: it gets no jobs, and those on it go elsewhere. */
  'backend:quarantined': { backend: string; reason: string };
  /** An operator believes the results of a backend again that was quarantined. */
  'backend:believed': { backend: string };
  /** Connections were closed, or not let in; at once, and then at most once in ten seconds. `address`: whose (IPv6: its network), null: everybody's. */
  'connections:refused': { count: number; open: number; address: string | null };
  /** Work may have become possible somewhere: a slot was freed, a queue got shorter, a backend's nodes changed. */
  'backend:capacity': { backend: string };
  /** An operator changed what machines must have to run a workflow; no tags: nothing. */
  'workflow:requirements': { workflow: string; tags: readonly string[] };
  /** A server was told of the end of a job, or could not be: one try. `startedAt`: ms since the epoch. */
  'webhook:tried': { jobId: string; outcome: WebhookOutcome; startedAt: number };
  /** Somebody published a workflow, or (no version) took it out of what is published, through the API. `by`: digest of the account. */
  'workflow:published': { workflow: string; version: string | null; by: string };
}

/** Why an attempt ended without ending its job: a closed set, that can be counted. */
export const lossKinds = [
  'backend-lost',
  'not-there',
  'taken-back',
  'withheld',
  'timed-out',
  'rejected',
  'execution-error',
  'interrupted-there',
  'result-refused',
] as const;
export type LossKind = (typeof lossKinds)[number];

/** `gone`: the server wants no more of them. `failed`: it is tried again later; `given-up`: not any more. */
export const webhookOutcomes = ['delivered', 'gone', 'failed', 'given-up'] as const;
export type WebhookOutcome = (typeof webhookOutcomes)[number];

export type EventName = keyof BridgeEvents;
type Listener<K extends EventName> = (event: BridgeEvents[K]) => void;

/** Typed, synchronous events. A listener that throws is reported and never breaks the emitter or its neighbours. */
export interface Events {
  emit<K extends EventName>(name: K, event: BridgeEvents[K]): void;
  /** Returns the function that unsubscribes. */
  on<K extends EventName>(name: K, listener: Listener<K>): () => void;
}

export function createEvents(onListenerError: (name: EventName, error: unknown) => void): Events {
  const listeners = new Map<EventName, Set<(event: never) => void>>();
  return {
    emit(name, event) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          // The map is keyed by name, so the listeners found under it take exactly this event.
          (listener as (event: unknown) => void)(event);
        } catch (error) {
          onListenerError(name, error);
        }
      }
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
  };
}
