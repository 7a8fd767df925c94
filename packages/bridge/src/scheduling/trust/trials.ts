import type { Backend, Fleet } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { Seat } from '../../placement/seat.ts';
import { runTrial } from './run-trial.ts';
import type { Trial, TrialDeps, TrialEnd, TrialOptions } from './run-trial.ts';

/** The bridge's own prompts: only where nothing else is to be done, and given up when there is. */
export interface Trials {
  /** Those that could take a job at once, have none, and nothing of their owner's either. */
  idle(): Backend[];
  /** `given-up` at once where the backend is not idle. */
  run<T>(trial: Trial<T>, options: Omit<TrialOptions, 'signal'>): Promise<TrialEnd<T>>;
  /** Takes a second at the most. */
  stop(): Promise<void>;
}

export interface TrialsDeps extends TrialDeps {
  fleet: Fleet;
  events: Events;
  seats(): readonly Seat[];
}

const stopMs = 1_000;

export function createTrials({ fleet, events, seats, ...deps }: TrialsDeps): Trials {
  const running = new Map<Backend, { abort: AbortController; done: Promise<unknown> }>();
  let stopped = false;

  function idle(): Backend[] {
    if (stopped) return [];
    return seats().flatMap(({ name, isReady, freeSlots }) => {
      const backend = isReady && freeSlots > 0 ? fleet.find(name) : undefined;
      if (backend === undefined || backend.trial !== undefined) return [];
      return backend.slots.size === 0 && backend.queueRemaining === 0 ? [backend] : [];
    });
  }

  function giveUp(name: string | undefined): void {
    for (const [backend, { abort }] of running) if (backend.name === name) abort.abort();
  }

  // A job takes its place before it sends anything there, so that the trial is on its way out by then.
  const unsubscribe = [
    events.on('job:assigned', ({ job: { state } }) => giveUp('backend' in state ? state.backend : undefined)),
    events.on('job:hedged', ({ job }) => giveUp(job.hedge?.backend)),
    events.on('backend:removed', ({ backend }) => giveUp(backend)),
    events.on('backend:quarantined', ({ backend }) => giveUp(backend)),
  ];

  return {
    idle,
    async run(trial, options) {
      const { backend } = trial;
      if (!idle().includes(backend)) return { kind: 'given-up' };
      const abort = new AbortController();
      const done = runTrial({ ...deps, events }, trial, { ...options, signal: abort.signal });
      running.set(backend, { abort, done });
      return done.finally(() => running.delete(backend));
    },
    async stop() {
      stopped = true;
      unsubscribe.forEach((off) => off());
      for (const { abort } of running.values()) abort.abort();
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, stopMs);
      await Promise.race([Promise.allSettled([...running.values()].map(({ done }) => done)), late]);
      clearTimeout(timer);
    },
  };
}
