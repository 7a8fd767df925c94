import type { Backend } from '../../backends/fleet.ts';
import type { Logger } from '../../logging.ts';
import type { Random } from './canary-steps.ts';
import { keepStanding } from './keep-standing.ts';
import type { KeepStandingDeps } from './keep-standing.ts';
import { tryCanary } from './try-canary.ts';
import type { CanaryOutcome } from './try-canary.ts';
import type { Trials } from './trials.ts';

export interface CanaryWatchDeps extends KeepStandingDeps {
  trials: Trials;
  random: Random;
  log: Logger;
}

export interface CanaryWatch {
  /** As soon as it is idle: its results differ from another's. */
  trySoon(backend: Backend): void;
  stop(): void;
}

/** Canaries at a time, in all of the fleet. */
const atOnce = 4;
const [leastLookMs, mostLookMs] = [20, 1_000];

/**
 * Tries each idle backend: a new one at once, and then after half to one and a half times the interval, by chance, so that
 * no machine can tell when. A wrong answer is followed by another canary at once.
 */
export function watchCanaries(deps: CanaryWatchDeps, { intervalMs }: { intervalMs: number }): CanaryWatch {
  const { trials, random, now, log } = deps;
  /** ms since the epoch; one that is not in it is due. */
  const due = new WeakMap<Backend, number>();
  let running = 0;

  function look(): void {
    if (running >= atOnce) return;
    const at = now();
    for (const backend of trials.idle()) {
      const next = due.get(backend) ?? 0;
      // A clock that was set back makes a canary come early rather than late.
      if (next > at && next - at <= 2 * intervalMs) continue;
      running += 1;
      due.set(backend, at + intervalMs);
      void tryOne(backend).finally(() => {
        running -= 1;
      });
      if (running >= atOnce) return;
    }
  }

  async function tryOne(backend: Backend): Promise<void> {
    try {
      const outcome = await tryCanary({ trials, random }, backend);
      due.set(backend, now() + waitAfter(outcome));
      await note(backend, outcome);
    } catch (error) {
      log.warn({ backend: backend.name, err: error }, 'a canary could not be tried');
    }
  }

  function waitAfter({ kind }: CanaryOutcome): number {
    if (kind === 'wrong') return 0;
    // The job that it gave way to may be short.
    if (kind === 'given-up') return intervalMs / 10;
    return intervalMs * (0.5 + random());
  }

  async function note(backend: Backend, outcome: CanaryOutcome): Promise<void> {
    const at = now();
    switch (outcome.kind) {
      case 'given-up':
        return;
      case 'right':
        log.debug({ backend: backend.name, difference: outcome.difference }, 'a canary was right');
        return keepStanding(deps, backend, { type: 'canary-right', at });
      case 'unanswered':
        log.debug({ backend: backend.name, reason: outcome.reason }, 'a canary was not answered');
        return keepStanding(deps, backend, { type: 'canary-unanswered', at, reason: outcome.reason });
      case 'wrong': {
        const { detail, difference } = outcome;
        const evidence = { at, kind: 'canary', detail, difference } as const;
        return keepStanding(deps, backend, { type: 'canary-wrong', evidence });
      }
    }
  }

  const timer = setInterval(look, Math.min(mostLookMs, Math.max(leastLookMs, intervalMs / 4))).unref();
  return {
    trySoon: (backend) => void due.delete(backend),
    stop: () => clearInterval(timer),
  };
}
