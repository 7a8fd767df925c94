import type { Backend, Fleet } from '../../backends/fleet.ts';
import { sketchPicture } from '../../files/picture-pixels.ts';
import type { Job } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import { openSource } from '../attempt/open-source.ts';
import type { OpenSourceDeps } from '../attempt/open-source.ts';
import type { ClassifyJob } from '../classify-job.ts';
import type { BackendJudge } from '../judge-backend.ts';
import type { DuplicateCredit } from './duplicate-credit.ts';
import type { Testimony } from './judge-duplicates.ts';
import { pickSecond } from './pick-second.ts';
import { isComparable, mostPictureBytes, mostPictures, sketchResults } from './sketch-results.ts';
import type { Trials } from './trials.ts';

export interface DuplicateRunsDeps extends OpenSourceDeps {
  fleet: Fleet;
  judge: BackendJudge;
  classify: ClassifyJob;
  trials: Trials;
  credit: DuplicateCredit;
  /** Jobs that wait for a backend: they go first. */
  queueLength(): number;
  /** Whether jobs of that workflow tell anything. */
  isSteady(workflow: string): boolean;
  /** Two runs, or three. True: a third one is to decide. `isLast`: there will be none. */
  onMade(job: Job, made: readonly Testimony[], isLast: boolean): boolean;
  log: Logger;
  now: () => number;
}

export interface DuplicateRuns {
  /** A job has ended: it may be chosen. */
  offer(job: Job): void;
  /** There may be room. */
  pump(): void;
}

interface Entry {
  readonly job: Job;
  readonly made: Testimony[];
  /** Backends that did not answer. */
  readonly without: Set<string>;
  /** ms since the epoch */
  readonly until: number;
  tries: number;
  isRunning: boolean;
}

const mostWaiting = 20;
const atOnce = 2;
const mostTries = 3;
/** A job that no backend was idle for in this time is not run again. */
const patienceMs = 600_000;
/** How much longer than the first run another one may take. */
const [slowerBy, leastMs, mostMs] = [4, 60_000, 3_600_000];

/** Runs chosen jobs again on idle backends, and a third time where two results differ. */
export function createDuplicateRuns(deps: DuplicateRunsDeps): DuplicateRuns {
  const { fleet, judge, classify, trials, credit, log, now } = deps;
  const waiting = new Set<Entry>();
  let running = 0;

  async function take(job: Job): Promise<void> {
    const backend = job.attempts.at(-1)?.backend;
    const made = await sketchResults(deps, job);
    if (backend === undefined || made === undefined) return;
    const [oldest] = waiting;
    if (waiting.size >= mostWaiting && oldest !== undefined) end(oldest);
    waiting.add({
      ...{ job, made: [{ backend, made }], without: new Set() },
      ...{ until: now() + patienceMs, tries: 0, isRunning: false },
    });
    pump();
  }

  function pump(): void {
    if (waiting.size === 0) return;
    const isQuiet = deps.queueLength() === 0;
    const idle = new Set(trials.idle());
    for (const entry of waiting) {
      if (entry.isRunning) continue;
      const isUsed = (name: string) =>
        entry.without.has(name) || entry.made.some(({ backend }) => backend === name);
      const kind = classify(entry.job);
      const place = pickSecond({ fleet, judge, idle }, kind, isUsed);
      if (place.kind === 'nowhere' || now() > entry.until) end(entry);
      else if (place.kind === 'now' && isQuiet && running < atOnce) {
        idle.delete(place.backend);
        start(entry, place.backend);
      }
    }
  }

  /** Nobody else is going to run it. */
  function end(entry: Entry): void {
    waiting.delete(entry);
    if (entry.made.length > 1) deps.onMade(entry.job, entry.made, true);
  }

  function start(entry: Entry, backend: Backend): void {
    entry.isRunning = true;
    entry.tries += 1;
    running += 1;
    credit.spend();
    void runAgain(entry, backend)
      .catch((error: unknown) => {
        entry.without.add(backend.name);
        log.warn({ jobId: entry.job.id, backend: backend.name, err: error }, 'a duplicate run broke');
      })
      .finally(() => {
        entry.isRunning = false;
        running -= 1;
        if (entry.tries >= mostTries && waiting.has(entry)) end(entry);
        pump();
      });
  }

  async function runAgain(entry: Entry, backend: Backend): Promise<void> {
    const { job, made } = entry;
    const outcome = await trials.run(
      {
        ...{ backend, job },
        models: new Set(classify(job).work.models),
        openSource: (source) => openSource(deps, source),
        readPicture: (content) => sketchPicture(content, deps.policy),
      },
      { deadlineMs: deadlineOf(job), maxBytes: mostPictureBytes, maxPictures: mostPictures + 1 },
    );
    if (outcome.kind === 'given-up') return;
    if (outcome.kind === 'unanswered') {
      log.debug(
        { jobId: job.id, backend: backend.name, reason: outcome.reason },
        'a duplicate run ended without results',
      );
      entry.without.add(backend.name);
      return;
    }
    const sketches = outcome.pictures.map((one) => (one.ok ? one.picture : undefined));
    made.push({ backend: backend.name, made: sketches });
    // A third run has its own tries.
    entry.tries = 0;
    if (!deps.onMade(job, made, false)) waiting.delete(entry);
  }

  return {
    offer(job) {
      // Every job earns, so that the share is one of all jobs.
      if (!credit.earn() || !isComparable(job) || !deps.isSteady(job.workflow)) return;
      void take(job);
    },
    pump,
  };
}

function deadlineOf({ attempts }: Job): number {
  const { startedAt = 0, endedAt = null } = attempts.at(-1) ?? {};
  const tookMs = endedAt === null ? 0 : endedAt - startedAt;
  return Math.min(mostMs, leastMs + slowerBy * tookMs);
}
