/** Something to be sent at a time. */
export interface Due {
  readonly host: string;
  /** ms since the epoch */
  readonly at: number;
}

/** Calls `run` once after `ms`; returns how to prevent it. */
export type StartTimer = (ms: number, run: () => void) => () => void;

export interface DeliveryLineDeps<T extends Due> {
  /** Must not reject. Aborted when a stop does not wait any longer. */
  send(item: T, signal: AbortSignal): Promise<void>;
  now: () => number;
  startTimer: StartTimer;
}

export interface DeliveryLimits {
  atOnce: number;
  perHost: number;
}

/** Sends what is due, the longest due first, a few at once and fewer to one host: one that hangs holds up no other. */
export interface DeliveryLine<T extends Due> {
  /** Each is sent once; while it is in the line it must not change. */
  add(items: Iterable<T>): void;
  /** Starts nothing more, and gives what is under way `graceMs` before it is aborted. */
  close(graceMs: number): Promise<void>;
}

/** A clock may be set, a machine may sleep: the time is looked at again at least this often. */
const longestNapMs = 60_000;

export function startSystemTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}

export function createDeliveryLine<T extends Due>(
  { send, now, startTimer }: DeliveryLineDeps<T>,
  { atOnce, perHost }: DeliveryLimits,
): DeliveryLine<T> {
  const waiting = new Set<T>();
  const underWay = new Set<Promise<void>>();
  const hosts = new Map<string, number>();
  const stopped = new AbortController();
  let isClosed = false;
  let stopTimer: (() => void) | undefined;

  /** Of those that may go now, the one that is due longest. */
  function findNext(time: number): T | undefined {
    let next: T | undefined;
    for (const item of waiting) {
      if (item.at > time || (next !== undefined && next.at <= item.at)) continue;
      if ((hosts.get(item.host) ?? 0) < perHost) next = item;
    }
    return next;
  }

  function start(item: T): void {
    waiting.delete(item);
    hosts.set(item.host, (hosts.get(item.host) ?? 0) + 1);
    const sending = send(item, stopped.signal).finally(() => {
      underWay.delete(sending);
      const left = (hosts.get(item.host) ?? 1) - 1;
      if (left === 0) hosts.delete(item.host);
      else hosts.set(item.host, left);
      advance();
    });
    underWay.add(sending);
  }

  /** One timer for all of them: for the first that is not due yet. Who waits for a place is started by who leaves it. */
  function advance(): void {
    stopTimer?.();
    stopTimer = undefined;
    if (isClosed) return;
    const time = now();
    while (underWay.size < atOnce) {
      const next = findNext(time);
      if (next === undefined) break;
      start(next);
    }
    let soonest = Number.POSITIVE_INFINITY;
    for (const { at } of waiting) if (at > time) soonest = Math.min(soonest, at);
    if (soonest < Number.POSITIVE_INFINITY) {
      stopTimer = startTimer(Math.min(Math.max(soonest - time, 1), longestNapMs), advance);
    }
  }

  return {
    add(items) {
      for (const item of items) waiting.add(item);
      advance();
    },
    async close(graceMs) {
      isClosed = true;
      stopTimer?.();
      waiting.clear();
      if (underWay.size === 0) return;
      const stopGrace = startTimer(graceMs, () => stopped.abort());
      await Promise.all(underWay);
      stopGrace();
    },
  };
}
