import type { Fleet } from '../../backends/fleet.ts';
import { isWitness } from '../../backends/standing.ts';
import type { Evidence } from '../../backends/standing.ts';
import type { Job } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import { isBlank } from './compare-sketches.ts';
import { judgeDuplicates } from './judge-duplicates.ts';
import type { Testimony } from './judge-duplicates.ts';
import { keepStanding } from './keep-standing.ts';
import type { KeepStandingDeps } from './keep-standing.ts';
import type { SteadyWorkflows } from './steady-workflows.ts';

export interface CompareDuplicatesDeps extends KeepStandingDeps {
  fleet: Fleet;
  steady: SteadyWorkflows;
  /** A canary for each of those that differ, as soon as they are idle. */
  trySoon(backend: string): void;
  log: Logger;
}

/**
 * What follows from two or three runs of the same job. Two that differ say nothing of whose fault it is: only a third one
 * does, and only when the two that agree have given no wrong canary. True: a third run is to decide.
 */
export function compareDuplicates(
  deps: CompareDuplicatesDeps,
  { job, made, isLast }: { job: Job; made: readonly Testimony[]; isLast: boolean },
  { tolerance }: { tolerance: number },
): boolean {
  const { fleet, steady, log } = deps;
  const [first, second, third] = made;
  if (first === undefined || second === undefined) return false;
  const verdict = judgeDuplicates(third === undefined ? [first, second] : [first, second, third], tolerance);

  function note(name: string, news: Parameters<typeof keepStanding>[2]): void {
    const backend = fleet.find(name);
    if (backend !== undefined) void keepStanding(deps, backend, news);
  }

  function toEvidence({ backend, made: pictures }: Testimony, difference: number): Evidence {
    const others = made.map((one) => one.backend).filter((name) => name !== backend);
    const shown = pictures.some((one) => one !== undefined && !isBlank(one));
    const seen = pictures.length === 0 ? ', it gave no picture' : shown ? '' : ', its pictures are blank';
    const detail = `its results of a job of ${job.workflow} differ from those of ${others.join(' and ')}${seen} (job ${job.id})`;
    return { at: deps.now(), kind: 'duplicate', detail, difference };
  }

  function doubtAll(difference: number): void {
    for (const one of made) note(one.backend, { type: 'doubted', evidence: toEvidence(one, difference) });
  }

  switch (verdict.kind) {
    case 'agree':
      for (const name of verdict.backends) note(name, { type: 'vote-won' });
      return false;
    case 'differ':
      for (const { backend } of made) deps.trySoon(backend);
      if (!isLast) return true;
      steady.differed(job.workflow);
      doubtAll(verdict.difference);
      return false;
    case 'undecided':
      steady.differed(job.workflow);
      doubtAll(verdict.difference);
      return false;
    case 'outvoted': {
      const { loser, winners, difference } = verdict;
      deps.trySoon(loser);
      const areWitnesses = winners.every((name) => {
        const backend = fleet.find(name);
        return backend !== undefined && isWitness(backend.standing);
      });
      if (!areWitnesses) {
        log.info(
          { jobId: job.id, winners, loser },
          'a vote is not counted: one of the winners gave a wrong canary',
        );
        doubtAll(difference);
        return false;
      }
      const lost = made.find(({ backend }) => backend === loser) ?? second;
      for (const name of winners) note(name, { type: 'vote-won' });
      note(loser, { type: 'vote-lost', evidence: toEvidence(lost, difference) });
      return false;
    }
  }
}
