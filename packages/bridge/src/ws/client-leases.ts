/**
 * A job lives only as long as somebody waits for it: when the last socket of a client goes, its job gets a grace period,
 * in which a reconnecting client finds it going on, and is then given up.
 */
export interface ClientLeases {
  /** A socket of this client opened. */
  attach(clientId: string): void;
  /**
   * A socket of this client went away, at `leftAt` (ms since the epoch). `graceMs` is what it asked for: 0 gives the job up
   * at once, infinity never.
   */
  detach(clientId: string, leftAt: number, graceMs?: number): void;
  /** A client whose sockets an earlier process held: it has `graceMs` to come back. */
  expectBack(clientId: string, graceMs: number, leftAt: number): void;
  isAttached(clientId: string): boolean;
  /** Drops all timers; nothing is given up any more. */
  stop(): void;
}

interface Lease {
  sockets: number;
  timer: NodeJS.Timeout | undefined;
}

export function createClientLeases({
  graceMs: usualMs,
  giveUp,
}: {
  /** For a socket that did not ask for anything. */
  graceMs: number;
  giveUp(clientId: string, leftAt: number): void;
}): ClientLeases {
  const leases = new Map<string, Lease>();

  function end(clientId: string, leftAt: number): void {
    leases.delete(clientId);
    giveUp(clientId, leftAt);
  }

  return {
    attach(clientId) {
      const lease = leases.get(clientId) ?? { sockets: 0, timer: undefined };
      clearTimeout(lease.timer);
      lease.timer = undefined;
      lease.sockets += 1;
      leases.set(clientId, lease);
    },
    detach(clientId, leftAt, graceMs = usualMs) {
      const lease = leases.get(clientId);
      if (lease === undefined || --lease.sockets > 0) return;
      if (graceMs === Number.POSITIVE_INFINITY) leases.delete(clientId);
      else if (graceMs === 0) end(clientId, leftAt);
      else lease.timer = setTimeout(end, graceMs, clientId, leftAt).unref();
    },
    expectBack(clientId, graceMs, leftAt) {
      if (leases.has(clientId)) return;
      leases.set(clientId, { sockets: 0, timer: setTimeout(end, graceMs, clientId, leftAt).unref() });
    },
    isAttached: (clientId) => (leases.get(clientId)?.sockets ?? 0) > 0,
    stop() {
      for (const lease of leases.values()) clearTimeout(lease.timer);
      leases.clear();
    },
  };
}
