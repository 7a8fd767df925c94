import { createOfferFetcher } from './fetch-offer.ts';
import type { OfferDeps } from './fetch-offer.ts';
import { createBackendLook } from './look-at-backend.ts';
import { isOver, noPause, pauseAfter } from './pause.ts';

export interface OfferOptions {
  /** Between two looks at whether something changed; ten times that until everything is fetched although nothing seems to have. */
  refreshMs: number;
  /** Between two looks at its memory. */
  statsMs: number;
  /** For an answer that is cheap to give. */
  timeoutMs: number;
  signal: AbortSignal;
  now: () => number;
}

/** Keeps up to date what one backend offers and has: node classes, models, memory, version, features. */
export interface OfferWatch {
  /**
   * For a backend that (re)appears: fetches everything. Rejects when nothing can be read, now or ever before. One whose offer
   * is known from before is not kept waiting by a slow answer, nor by a bad one.
   */
  appear(): Promise<void>;
  /** Begins what is due, one thing at a time. Call it often, while the backend answers. */
  tick(): void;
  /** Fetches everything as soon as that is not too much of its time. */
  refreshSoon(): void;
  /** Resolves when nothing is under way; `signal` is to be aborted before. */
  settled(): Promise<void>;
}

/** Of a backend's time, at most so much goes into telling us what it offers. */
const share = 0.01;
/** While that fails, or it (re)appears. */
const shareInNeed = 0.1;
/** A known one that is back does not wait longer for its answer before it gets work. */
const patienceMs = 5_000;
const firstRetryMs = 2_000;
/** Folders asked for at a time: one while it is at work, more while it appears. */
const lanes = { atWork: 1, appearing: 3 };

export function watchOffer(
  deps: OfferDeps,
  { refreshMs, statsMs, timeoutMs, signal, now }: OfferOptions,
): OfferWatch {
  const { backend, log } = deps;
  const look = createBackendLook(deps, { timeoutMs, signal });
  const fetchOffer = createOfferFetcher(deps, { signal, now });
  let [statsPause, lookPause, fetchPause] = [noPause, noPause, noPause];
  let lastFetch = { at: 0, tookMs: 0 };
  let failures = 0;
  let isAsked = false;
  /** How it looked right before everything was fetched: whatever changes after that is seen by the next look. */
  let fetchedAs: string | undefined;
  let busy: Promise<void> | undefined;

  async function refreshStats(): Promise<void> {
    await look.refreshStats();
    statsPause = { from: now(), ms: statsMs };
  }

  async function lookAround(): Promise<void> {
    const began = performance.now();
    const seen = await look.fingerprint(lanes.atWork);
    const work = { at: now(), tookMs: performance.now() - began };
    lookPause = pauseAfter(work, { ms: jitter(refreshMs), share });
    statsPause = { from: now(), ms: statsMs };
    if (seen !== undefined && seen !== fetchedAs) isAsked = true;
  }

  async function fetchAll(folders: number): Promise<void> {
    isAsked = false;
    fetchedAs = await look.fingerprint(folders);
    lookPause = { from: now(), ms: jitter(refreshMs) };
    statsPause = { from: now(), ms: statsMs };
    const { ok, ...work } = await fetchOffer();
    lastFetch = work;
    failures = ok ? 0 : failures + 1;
    const retryMs = Math.min(refreshMs, firstRetryMs * 2 ** Math.min(failures, 16));
    fetchPause = pauseAfter(work, { ms: jitter(ok ? 10 * refreshMs : retryMs), share: shareNow() });
  }

  function shareNow(): number {
    return failures > 0 ? shareInNeed : share;
  }

  function mayFetch(atMostShare: number): boolean {
    return isOver(pauseAfter(lastFetch, { ms: 0, share: atMostShare }), now());
  }

  function begin(work: Promise<unknown>): Promise<void> {
    const done = work.then(
      () => {},
      (error: unknown) => {
        if (!signal.aborted) log.error({ backend: backend.name, err: error }, 'a look at a backend broke');
      },
    );
    busy = done;
    void done.finally(() => {
      if (busy === done) busy = undefined;
    });
    return done;
  }

  return {
    async appear() {
      const isKnown = backend.definitions !== undefined;
      if (busy !== undefined) await (isKnown ? atMost(busy, patienceMs) : busy);
      // What it said of what it listed was before it was away.
      backend.suspicions = [];
      if (busy === undefined && mayFetch(shareInNeed)) {
        const everything = begin(Promise.all([fetchAll(lanes.appearing), look.refreshFeatures()]));
        await (isKnown ? atMost(everything, patienceMs) : everything);
      } else isAsked = true;
      if (backend.definitions === undefined)
        throw new Error(backend.offerProblem ?? 'it has not said what it offers');
    },
    tick() {
      if (busy !== undefined || signal.aborted) return;
      const isFetchDue = isAsked ? mayFetch(shareNow()) : isOver(fetchPause, now());
      if (isFetchDue) void begin(fetchAll(lanes.atWork));
      else if (isOver(lookPause, now())) void begin(lookAround());
      else if (isOver(statsPause, now())) void begin(refreshStats());
    },
    refreshSoon() {
      isAsked = true;
    },
    settled: async () => busy,
  };
}

/** So that a fleet that was started at once is not asked at once for ever. */
function jitter(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
