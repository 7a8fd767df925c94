import type { Progress } from '@comfy-bridge/protocol';

import type { Backend } from '../../backends/fleet.ts';
import { isPausedByOwner } from '../../backends/lending.ts';
import { ComfyError } from '../../comfy/comfy-error.ts';
import type { ComfyMessage } from '../../comfy/comfy-messages.ts';
import type { ComfySocket } from '../../comfy/comfy-socket.ts';
import type { ProgressTracker } from '../../comfy/track-progress.ts';
import { locatePrompt } from './locate-prompt.ts';
import { toPromptEnd } from './prompt-end.ts';
import type { PromptEnd } from './prompt-end.ts';
import { createRunningState } from '../../lib/running-state.ts';
import type { Logger } from '../../logging.ts';

export interface FollowOptions {
  /** A *running* prompt that shows no sign of life for this long is given up. */
  inactivityMs: number;
  /** A backend that refuses connections for this long has lost the prompt. */
  unreachableMs?: number;
  /** A backend that accepts connections but answers nothing for this long has lost the prompt. */
  unresponsiveMs?: number;
  /** After this long without an event, look over HTTP whether the prompt is still there. */
  quietMs?: number;
  /** A prompt that waits on its backend for this long is taken back if `couldRunElsewhere`. */
  takeBackMs?: number;
}

export interface FollowHooks {
  /** The backend's worker took the prompt; called once. */
  onExecuting(): void;
  onProgress(progress: Progress): void;
  onPreview(preview: Extract<ComfyMessage, { type: 'preview' }>): void;
  /** A node has shown something: `executed`, which also comes for a node whose output was cached. */
  onShown(shown: Extract<ComfyMessage, { type: 'executed' }>): void;
  /** Whether another backend has room for it right now. */
  couldRunElsewhere(): boolean;
}

export interface PromptFollower {
  /** Very old servers choose the id themselves: from now on the prompt goes by this one. */
  adopt(promptId: string): void;
  promptId(): string;
  /** The longest silence while it ran. */
  longestGapMs(): number;
  /** Whether the backend had the heaviest part of the work in its cache. */
  wasCached(): boolean;
  /** Opens the socket; before submitting, since ComfyUI drops events for a client that is not connected. */
  connect(): Promise<void>;
  /** Settles when the prompt has left the backend, one way or another. Never rejects. */
  untilEnd(signal: AbortSignal): Promise<PromptEnd>;
  close(): void;
}

interface FollowDeps {
  backend: Backend;
  promptId: string;
  tracker: ProgressTracker;
  hooks: FollowHooks;
  openSocket(onMessage: (message: ComfyMessage) => void, onClose: () => void): Promise<ComfySocket>;
  log: Logger;
  now?: () => number;
}

/** The longest that one look at `/history` and `/queue` may take. */
const lookMs = 3_000;
/** A backend that answers nothing for this long has lost its prompt, if another one has room for it. */
const hangsElsewhereMs = 5_000;
/** A prompt that was said to be over and still runs after this is followed again. */
const falseAlarmMs = 2_000;
/** Between looks while there is doubt. */
const doubtfulMs = 500;

/**
 * Follows one prompt by its socket, and by HTTP where the socket leaves doubt: it was cut, or nothing was heard for a
 * while. ComfyUI replays nothing, tells nobody of a removed prompt, and forgets its queue in a restart; `/history` and
 * `/queue` are the truth.
 */
export function createPromptFollower(
  { backend, promptId: ownId, tracker, hooks, openSocket, log, now = Date.now }: FollowDeps,
  {
    inactivityMs,
    unreachableMs = 3_000,
    unresponsiveMs = 15_000,
    quietMs = 5_000,
    takeBackMs = 10_000,
  }: FollowOptions,
): PromptFollower {
  const running = createRunningState();
  let promptId = ownId;
  let socket: ComfySocket | undefined;
  let executing = false;
  let ended = false;
  let endedAt = 0;
  let lastSign = now();
  let lastLook = now();
  let submittedAt = now();
  let longestGapMs = 0;
  let trouble: { since: number; hangs: boolean } | undefined;
  const seenOutputs: Record<string, unknown> = {};

  function sign(): void {
    if (executing) longestGapMs = Math.max(longestGapMs, now() - lastSign);
    lastSign = now();
  }

  function markExecuting(): void {
    sign();
    if (executing) return;
    executing = true;
    hooks.onExecuting();
    // The clock of silence runs from here: the loop must not sleep through it.
    running.wake();
  }

  function onMessage(message: ComfyMessage): void {
    if (message.type === 'status') {
      if (message.queueRemaining !== undefined) backend.queueRemaining = message.queueRemaining;
      return;
    }
    // Its owner may have dropped what waited there, of which nobody is told.
    if (message.type === 'donor-status') running.wake();
    if (!isOurs(message)) return;
    sign();
    if (tracker.apply(message)) hooks.onProgress(tracker.snapshot());
    switch (message.type) {
      case 'execution-start':
      case 'progress':
      case 'progress-state':
        return markExecuting();
      case 'executing':
        if (message.node !== null) return markExecuting();
        return finish();
      case 'executed':
        if (message.output !== null) seenOutputs[message.node] = message.output;
        return hooks.onShown(message);
      case 'preview':
        return hooks.onPreview(message);
      case 'execution-success':
      case 'execution-interrupted':
        return expectEndSoon();
      case 'execution-error':
        return message.terminal ? expectEndSoon() : undefined;
      default:
        return undefined;
    }
  }

  function isOurs(message: ComfyMessage): boolean {
    if (!('promptId' in message)) return false;
    if (message.promptId !== undefined) return message.promptId === promptId;
    // The socket's client id belongs to this prompt alone, so what names no prompt is about this one; but an end is only
    // believed with a name.
    return message.type !== 'executing' || message.node !== null;
  }

  /** History is written between the last event and `executing: null`; if that never comes, look anyway. */
  function expectEndSoon(): void {
    const timer = setTimeout(finish, 1_000);
    timer.unref();
  }

  function finish(): void {
    if (!ended) endedAt = now();
    ended = true;
    running.wake();
  }

  function onClose(): void {
    socket = undefined;
    running.wake();
  }

  async function connect(): Promise<void> {
    socket = await openSocket(onMessage, onClose);
    lastSign = now();
  }

  async function lookAround(signal: AbortSignal): Promise<PromptEnd | undefined> {
    lastLook = now();
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
      const place = await locatePrompt(backend.client, promptId, deadline);
      trouble = undefined;
      switch (place.at) {
        case 'history':
          return toPromptEnd(place.history, seenOutputs);
        case 'nowhere':
          return {
            kind: 'lost',
            reason: 'the prompt is neither in its queue nor in its history',
            vanished: true,
          };
        case 'running':
          // Whatever said that it was over was wrong, or its history takes its time.
          if (ended && now() - endedAt > falseAlarmMs) ended = false;
          // Starts the clock of silence, but is no sign of life of its own.
          if (!executing) markExecuting();
          break;
        case 'pending':
          if (waitsTooLong()) return { kind: 'taken-back', reason: 'it waited while others had room' };
      }
      if (socket === undefined) await connect();
      return undefined;
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted' };
      return noteTrouble(error);
    }
  }

  function waitsTooLong(): boolean {
    return !executing && now() - submittedAt >= takeBackMs && hooks.couldRunElsewhere();
  }

  function noteTrouble(error: unknown): PromptEnd | undefined {
    const reason = error instanceof Error ? error.message : String(error);
    const hangs = error instanceof ComfyError && error.failure === 'timeout';
    trouble ??= { since: lastLook, hangs };
    log.debug({ backend: backend.name, promptId, err: error }, 'cannot look after a prompt');
    return now() - trouble.since >= patienceWith(trouble.hangs)
      ? { kind: 'lost', reason, vanished: false }
      : undefined;
  }

  /** One that hangs may only be busy loading a model; it is waited for longer where nobody else could take over. */
  function patienceWith(hangs: boolean): number {
    if (!hangs) return unreachableMs;
    return hooks.couldRunElsewhere() ? Math.min(hangsElsewhereMs, unresponsiveMs) : unresponsiveMs;
  }

  /** True while there is reason to ask over HTTP before the quiet time is over. */
  function isDoubtful(): boolean {
    const mayBeDropped = !executing && isPausedByOwner(backend);
    return mayBeDropped || socket === undefined || trouble !== undefined || backend.state.status !== 'ready';
  }

  /** ms until the next reason to do something without being woken. */
  function patience(): number {
    const untilLook = Math.max(lastSign, lastLook) + quietMs - now();
    const untilSilent = executing ? lastSign + inactivityMs - now() : Number.POSITIVE_INFINITY;
    const most = isDoubtful() ? doubtfulMs : 2_000;
    return Math.max(10, Math.min(untilLook, untilSilent, most));
  }

  async function untilEnd(signal: AbortSignal): Promise<PromptEnd> {
    const onAbort = () => running.wake();
    signal.addEventListener('abort', onAbort);
    submittedAt = now();
    try {
      for (;;) {
        if (signal.aborted) return { kind: 'aborted' };
        if (!ended && socket !== undefined) await running.sleep(patience());
        if (signal.aborted) return { kind: 'aborted' };
        if (executing && now() - lastSign >= inactivityMs) return { kind: 'silent', afterMs: inactivityMs };
        const quiet = now() - Math.max(lastSign, lastLook) >= quietMs;
        const doubtful = isDoubtful() && now() - lastLook >= doubtfulMs;
        if (!ended && socket !== undefined && !quiet && !doubtful) continue;
        const end = await lookAround(signal);
        if (end !== undefined) return end;
        if (ended || socket === undefined) await running.sleep(ended ? 50 : doubtfulMs);
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    adopt(serversId) {
      if (serversId === promptId) return;
      promptId = serversId;
      // What was said under an id that we did not know yet was missed.
      lastLook = Number.NEGATIVE_INFINITY;
      lastSign = Number.NEGATIVE_INFINITY;
    },
    promptId: () => promptId,
    longestGapMs: () => longestGapMs,
    wasCached: () => tracker.wasCached(),
    connect,
    untilEnd,
    close() {
      running.stop();
      socket?.terminate();
    },
  };
}
