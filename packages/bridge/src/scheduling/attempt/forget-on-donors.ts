import type { Backend } from '../../backends/fleet.ts';
import type { Events } from '../../events.ts';
import type { Logger } from '../../logging.ts';

/** What is left of a run on a machine that is lent. */
export interface LeftBehind {
  promptId: string;
  /** Values of the graph, `subfolder/name`. */
  inputs: readonly string[];
}

/**
 * Has machines that are lent delete what runs left there, one call at a time each. Best effort: what a machine does not
 * hear of, it deletes itself some hours later.
 */
export interface DonorForgetter {
  /** For any backend: a stock ComfyUI is left to `forgetAtStock`, once it is known to be one. */
  forget(backend: Backend, left: LeftBehind): void;
  /** Resolves when no call is under way that deletes that input. */
  untilKept(backend: Backend, input: string): Promise<void>;
  /** Sends what still waits; takes a second at the most. */
  stop(): Promise<void>;
}

export interface DonorForgetterDeps {
  events: Events;
  log: Logger;
  /** Whether a run needs that input now: then it is left to that one. */
  isClaimed(backend: Backend, input: string): boolean;
  /** For a stock ComfyUI. */
  forgetAtStock(backend: Backend, promptId: string): void;
}

export interface DonorForgetterOptions {
  /** Before the second try of a call, ms; four times as long before each further one. */
  retryMs?: number;
  maxTries?: number;
  /** Runs that may wait for one backend; the oldest goes. */
  maxWaiting?: number;
}

interface Entry extends LeftBehind {
  tries: number;
  /** ms since the epoch */
  notBefore: number;
}

interface Line {
  entries: Entry[];
  sending: { inputs: ReadonlySet<string>; done: Promise<void> } | undefined;
  timer: NodeJS.Timeout | undefined;
}

const deadlineMs = 5_000;
const stopMs = 1_000;

export function createDonorForgetter(
  { events, log, isClaimed, forgetAtStock }: DonorForgetterDeps,
  { retryMs = 2_000, maxTries = 4, maxWaiting = 1_000 }: DonorForgetterOptions = {},
): DonorForgetter {
  const lines = new Map<Backend, Line>();

  async function send(backend: Backend, entry: Entry, inputs: string[], signal?: AbortSignal): Promise<void> {
    const { promptId } = entry;
    try {
      const outcome = await backend.client.forgetFiles({
        ...{ promptId, inputs, deadlineMs },
        ...(signal !== undefined && { signal }),
      });
      if (outcome === 'not-lent') forgetAtStock(backend, promptId);
      if (outcome !== 'busy') return;
    } catch (error) {
      log.debug({ backend: backend.name, promptId, err: error }, 'a backend was not told to forget a prompt');
    }
    retry(backend, entry);
  }

  function retry(backend: Backend, entry: Entry): void {
    const tries = entry.tries + 1;
    if (tries >= maxTries) {
      const { promptId } = entry;
      log.info({ backend: backend.name, promptId }, 'a backend could not be told to forget a prompt');
      return;
    }
    const notBefore = Date.now() + retryMs * 4 ** entry.tries;
    lines.get(backend)?.entries.push({ ...entry, tries, notBefore });
  }

  /** Sends the next one whose time has come, and goes on until there is none. */
  function pump(backend: Backend, signal?: AbortSignal): void {
    const line = lines.get(backend);
    if (line === undefined || line.sending !== undefined) return;
    clearTimeout(line.timer);
    line.timer = undefined;
    // What it is, it tells when it is back: then this goes on.
    if (backend.lending === undefined) return;
    const index = line.entries.findIndex(({ notBefore }) => notBefore <= Date.now());
    const [entry] = index < 0 ? [] : line.entries.splice(index, 1);
    if (entry === undefined) {
      waitForNext(backend, line);
      return;
    }
    if (backend.lending === null) {
      forgetAtStock(backend, entry.promptId);
      pump(backend, signal);
      return;
    }
    const inputs = entry.inputs.filter((input) => !isClaimed(backend, input));
    const done = send(backend, entry, inputs, signal).finally(() => {
      line.sending = undefined;
      if (signal?.aborted !== true) pump(backend, signal);
    });
    line.sending = { inputs: new Set(inputs), done };
  }

  function waitForNext(backend: Backend, line: Line): void {
    if (line.entries.length === 0) {
      lines.delete(backend);
      return;
    }
    const next = Math.min(...line.entries.map(({ notBefore }) => notBefore));
    line.timer = setTimeout(() => pump(backend), Math.max(1, next - Date.now())).unref();
  }

  const unsubscribe = [
    events.on('backend:capacity', ({ backend: name }) => {
      for (const backend of lines.keys()) if (backend.name === name) pump(backend);
    }),
    events.on('backend:removed', ({ backend: name }) => {
      for (const [backend, { timer }] of lines) {
        if (backend.name !== name) continue;
        clearTimeout(timer);
        lines.delete(backend);
      }
    }),
  ];

  async function flush(backend: Backend, signal: AbortSignal): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    for (;;) {
      pump(backend, signal);
      const sending = lines.get(backend)?.sending;
      if (sending === undefined || signal.aborted) return;
      await Promise.race([sending.done, late]);
    }
  }

  return {
    forget(backend, left) {
      const line = lines.get(backend) ?? { entries: [], sending: undefined, timer: undefined };
      lines.set(backend, line);
      line.entries.push({ ...left, tries: 0, notBefore: 0 });
      if (line.entries.length > maxWaiting) line.entries.shift();
      pump(backend);
    },
    async untilKept(backend, input) {
      for (;;) {
        const sending = lines.get(backend)?.sending;
        if (sending?.inputs.has(input) !== true) return;
        await sending.done;
      }
    },
    async stop() {
      unsubscribe.forEach((off) => off());
      const signal = AbortSignal.timeout(stopMs);
      await Promise.all([...lines.keys()].map((backend) => flush(backend, signal)));
      for (const { timer } of lines.values()) clearTimeout(timer);
    },
  };
}
