import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

import type { Fleet } from '../../backends/fleet.ts';
import type { Events, LossKind } from '../../events.ts';
import type { Job } from '../../jobs/job.ts';

type Labels = Record<'backend' | 'outcome' | 'reason', string>;

/** Ends that are nobody's fault and count as no try. */
const moves: ReadonlySet<LossKind> = new Set<LossKind>(['not-there', 'taken-back', 'withheld']);

/**
 * Counts attempts by how they ended, and why: both are closed sets. The series of a backend go with it, so that there are never more
 * than the fleet is large. Returns how to stop.
 */
export function countAttempts(
  registers: Registry[],
  { events, fleet }: { events: Events; fleet: Pick<Fleet, 'backends'> },
): () => void {
  const attempts = new Counter({
    name: 'comfy_bridge_attempts_total',
    help: 'Attempts that ended, by outcome (succeeded, failed, canceled; lost: tried again; moved: by no fault) and reason.',
    labelNames: ['backend', 'outcome', 'reason'],
    registers,
  });
  const losses = new Counter({
    name: 'comfy_bridge_backend_losses_total',
    help: 'How often a backend stopped answering.',
    labelNames: ['backend'],
    registers,
    collect() {
      // From the start on, or the first loss would be no increase.
      for (const { name: backend } of fleet.backends) this.inc({ backend }, 0);
    },
  });
  const seen = new Map<string, Map<string, Labels>>();

  function count(labels: Labels): void {
    attempts.inc(labels);
    const ofBackend = seen.get(labels.backend) ?? new Map<string, Labels>();
    seen.set(labels.backend, ofBackend.set(`${labels.outcome} ${labels.reason}`, labels));
  }

  function forget(backend: string): void {
    for (const labels of seen.get(backend)?.values() ?? []) attempts.remove(labels);
    seen.delete(backend);
    losses.remove({ backend });
  }

  const unsubscribe = [
    events.on('attempt:lost', ({ backend, kind }) => {
      count({ backend, outcome: moves.has(kind) ? 'moved' : 'lost', reason: toLabel(kind) });
    }),
    events.on('job:finished', ({ job }) => {
      const last = lastAttempt(job);
      if (last !== undefined) count(last);
    }),
    events.on('backend:lost', ({ backend }) => losses.inc({ backend })),
    events.on('backend:removed', ({ backend }) => forget(backend)),
  ];
  return () => unsubscribe.forEach((off) => off());
}

/** The attempt that ended with its job; undefined when that was waiting. */
function lastAttempt({ attempts, state, finishedAt }: Job): Labels | undefined {
  const last = attempts.at(-1);
  if (last === undefined || last.outcome === null || last.endedAt !== finishedAt) return undefined;
  // One that was lost or moved was counted as such when that happened.
  if (last.outcome === 'lost' || last.outcome === 'moved') return undefined;
  const reason = state.status === 'failed' ? state.error.code : 'none';
  return { backend: last.backend, outcome: last.outcome, reason };
}

function toLabel(kind: LossKind): string {
  return kind.replaceAll('-', '_');
}
