/** Lets a few do something at a time, the others wait in line. */
export interface Gate {
  /** Resolves when there is room; call what it resolves with to leave. Rejects with the signal's reason when that aborts first. */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** One who stays longer than `patienceMs` no longer counts: who hangs holds up nobody for longer than that. */
export function createGate({ limit, patienceMs }: { limit: number; patienceMs: number }): Gate {
  let inside = 0;
  const line = new Set<() => void>();

  function admit(): () => void {
    inside += 1;
    let counts = true;
    const timer = setTimeout(leave, patienceMs).unref();
    function leave(): void {
      if (!counts) return;
      counts = false;
      clearTimeout(timer);
      inside -= 1;
      for (const next of line) {
        line.delete(next);
        return next();
      }
    }
    return leave;
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (inside < limit && line.size === 0) return admit();
      const { promise, resolve, reject } = Promise.withResolvers<() => void>();
      const next = () => resolve(admit());
      const giveUp = () => {
        line.delete(next);
        reject(signal.reason);
      };
      line.add(next);
      signal.addEventListener('abort', giveUp, { once: true });
      return promise.finally(() => signal.removeEventListener('abort', giveUp));
    },
  };
}
