import type { Fleet } from '../backends/fleet.ts';
import { describeLack } from '../placement/find-lacks.ts';
import type { Kind } from '../placement/kind.ts';
import type { BackendJudge, Verdict } from './judge-backend.ts';

/** Backends and lacks that a message names; the placement endpoint has them all. */
const mostNamed = 5;

/** Why no backend can run it, whatever becomes free, in words for the caller; undefined when one can, or may. */
export function findObstacles(
  { fleet, judge }: { fleet: Fleet; judge: BackendJudge },
  kind: Kind,
): string | undefined {
  const verdicts = fleet.backends.map((backend) => ({
    name: backend.name,
    verdict: judge.verdict(kind, backend),
  }));
  // One that was never reached may be able.
  if (verdicts.length === 0) return undefined;
  if (verdicts.some(({ verdict }) => verdict.able || verdict.reason === 'unknown')) return undefined;
  const shown = verdicts
    .slice(0, mostNamed)
    .map(({ name, verdict }) => `${name} ${describeVerdict(verdict)}`);
  const more = verdicts.length > mostNamed ? `; and ${verdicts.length - mostNamed} more` : '';
  return `no ComfyUI of the fleet can run this workflow: ${shown.join('; ')}${more}`;
}

/** Whether a backend that has all that it needs has too little memory for it. */
export function isTooLarge({ fleet, judge }: { fleet: Fleet; judge: BackendJudge }, kind: Kind): boolean {
  return fleet.backends.some((backend) => {
    const verdict = judge.verdict(kind, backend);
    return !verdict.able && verdict.reason === 'too-small';
  });
}

/** As the end of a sentence about a backend: `lacks node Foo`. */
export function describeVerdict(verdict: Verdict): string {
  if (verdict.able) return 'can run it';
  switch (verdict.reason) {
    case 'unknown':
      return 'was not reached yet';
    case 'lacks': {
      const named = verdict.lacks.slice(0, mostNamed).map(describeLack).join(', ');
      const more = verdict.lacks.length - mostNamed;
      return `lacks ${named}${more > 0 ? ` and ${more} more` : ''}`;
    }
    case 'reserved':
      return verdict.missingTags.length > 0
        ? `does not have the tags ${verdict.missingTags.join(', ')}`
        : 'is kept for other workflows';
    case 'too-small':
      return `has too little memory: ${toGb(verdict.usableBytes)}, and runs of this size went out of memory with ${toGb(verdict.neededBytes)}`;
  }
}

function toGb(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
