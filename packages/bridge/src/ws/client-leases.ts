/**
 * A job lives only as long as somebody waits for it: when the last socket of a client goes, its job gets a grace period,
 * in which a reconnecting client finds it going on, and is then given up.
 */
export interface ClientLeases {
  /** A socket of this client opened. */
  attach(clientId: string): void;
  /** A socket of this client went away. */
  detach(clientId: string): void;
  isAttached(clientId: string): boolean;
  /** Drops all timers; nothing is given up any more. */
  stop(): void;
}

interface Lease {
  sockets: number;
  timer: NodeJS.Timeout | undefined;
}

export function createClientLeases({
  graceMs,
  giveUp,
}: {
  /** 0: at once. */
  graceMs: number;
  giveUp(clientId: string): void;
}): ClientLeases {
  const leases = new Map<string, Lease>();

  return {
    attach(clientId) {
      const lease = leases.get(clientId) ?? { sockets: 0, timer: undefined };
      clearTimeout(lease.timer);
      lease.timer = undefined;
      lease.sockets += 1;
      leases.set(clientId, lease);
    },
    detach(clientId) {
      const lease = leases.get(clientId);
      if (lease === undefined || --lease.sockets > 0) return;
      const end = () => {
        leases.delete(clientId);
        giveUp(clientId);
      };
      if (graceMs === 0) end();
      else lease.timer = setTimeout(end, graceMs).unref();
    },
    isAttached: (clientId) => (leases.get(clientId)?.sockets ?? 0) > 0,
    stop() {
      for (const lease of leases.values()) clearTimeout(lease.timer);
      leases.clear();
    },
  };
}
