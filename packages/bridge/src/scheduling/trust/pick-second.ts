import type { Backend, Fleet } from '../../backends/fleet.ts';
import { isPausedByOwner } from '../../backends/lending.ts';
import type { Kind } from '../../placement/kind.ts';
import { isWarm } from '../../placement/seat.ts';
import type { BackendJudge } from '../judge-backend.ts';

/** Where a job's prompt may run again. `later`: on one that is busy now. */
export type SecondPlace = { kind: 'now'; backend: Backend } | { kind: 'later' } | { kind: 'nowhere' };

/** Those with the models in memory first: loading them would push out what others need. */
export function pickSecond(
  { fleet, judge, idle }: { fleet: Fleet; judge: BackendJudge; idle: ReadonlySet<Backend> },
  kind: Kind,
  isOut: (name: string) => boolean,
): SecondPlace {
  const able = fleet.backends.filter(
    (backend) =>
      !isOut(backend.name) &&
      backend.quarantine === null &&
      !backend.isLeaving &&
      backend.settings.mode === 'active' &&
      !isPausedByOwner(backend) &&
      backend.state.status === 'ready' &&
      judge.verdict(kind, backend).able,
  );
  if (able.length === 0) return { kind: 'nowhere' };
  const free = able.filter((backend) => idle.has(backend));
  const backend = free.find(({ warmModels }) => isWarm(kind, warmModels)) ?? free[0];
  return backend === undefined ? { kind: 'later' } : { kind: 'now', backend };
}
