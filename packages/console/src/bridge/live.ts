import { bridgeUrl } from './base-url.ts';
import { parseLossless } from './parse-lossless.ts';
import { createSseParser } from './sse-parser.ts';
import { currentSecret } from './secret.ts';

export type LiveState = 'connecting' | 'open' | 'lost';

export interface LiveListener {
  onEvent(name: string, data: unknown): void;
  onState(state: LiveState): void;
}

const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** The bridge says something every 15 s; a line that is silent for longer is dead. */
const silenceMs = 40_000;

/**
 * `GET /api/bridge/events`, held open and opened again. Over `fetch` and not `EventSource`: the key goes in a header.
 * Returns how to stop.
 */
export function followEvents(query: string, listener: LiveListener): () => void {
  const stopped = new AbortController();
  let wake = () => {};
  const wakeUp = () => wake();
  window.addEventListener('online', wakeUp);
  document.addEventListener('visibilitychange', wakeUp);

  async function run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!stopped.signal.aborted) {
      listener.onState('connecting');
      const wasOpen = await readOnce(query, listener, stopped.signal);
      if (stopped.signal.aborted) return;
      listener.onState('lost');
      pauseMs = wasOpen ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs);
      await new Promise<void>((resolve) => {
        // Not all at once, when a bridge comes back that many pages wait for.
        const timer = setTimeout(resolve, pauseMs * (0.75 + Math.random() / 2));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  void run();
  return () => {
    stopped.abort();
    wake();
    window.removeEventListener('online', wakeUp);
    document.removeEventListener('visibilitychange', wakeUp);
  };
}

/** Until the line ends; true when it was open at all. */
async function readOnce(query: string, listener: LiveListener, signal: AbortSignal): Promise<boolean> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), silenceMs);
  // Without a network an open line is not cut by itself: it would be silent until the time is out.
  const cut = () => silent.abort();
  window.addEventListener('offline', cut);
  const parser = createSseParser((name, data) => {
    try {
      listener.onEvent(name, parseLossless(data));
    } catch {
      // One event that cannot be used does not end the others.
    }
  });
  try {
    const response = await fetch(bridgeUrl(`api/bridge/events${query}`), {
      headers: { Authorization: `Bearer ${currentSecret()}`, Accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, silent.signal]),
      cache: 'no-store',
    });
    if (!response.ok || response.body === null) return false;
    listener.onState('open');
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), silenceMs);
      parser.push(chunk);
    }
    return true;
  } catch {
    return parser.hasRead();
  } finally {
    window.removeEventListener('offline', cut);
    clearTimeout(timer);
  }
}
