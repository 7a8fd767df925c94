import type { BridgeStreamEvents, Me } from '@comfy-bridge/protocol';
import { inject, shallowReactive, shallowRef } from 'vue';
import type { App, InjectionKey, Plugin, ShallowRef } from 'vue';

import { CallError, call } from '../bridge/call.ts';
import { followEvents } from '../bridge/live.ts';
import type { LiveState } from '../bridge/live.ts';
import { currentSecret, dropSecret, isEntered, keepSecret } from '../bridge/secret.ts';

/** Who this page is to the bridge. `stranger`: a key is needed; `unreachable`: nobody answers. */
export type Standing =
  | { kind: 'unknown' }
  | { kind: 'stranger'; reason: string; hadKey: boolean }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'known'; me: Me };

type Listener<K extends keyof BridgeStreamEvents> = (data: BridgeStreamEvents[K]) => void;

/** What all views share: who one is, and what happens at the bridge. */
export interface Page {
  readonly standing: Readonly<ShallowRef<Standing>>;
  /** The line to the bridge: `lost` while it is being opened again. */
  readonly live: Readonly<ShallowRef<LiveState>>;
  start(): void;
  /** Throws `CallError` when the bridge does not take it; then nothing has changed. */
  signIn(secret: string): Promise<void>;
  signOut(): Promise<void>;
  /** Whether somebody entered a key or a token here. */
  hasEnteredKey(): boolean;
  /** Asks again who one is. */
  refresh(): Promise<void>;
  /** Returns how to stop. */
  on<K extends keyof BridgeStreamEvents>(name: K, listener: Listener<K>): () => void;
  /** Called at once when the line is open, and each time that it is again: the moment to read what was missed. Returns how to stop. */
  onOpen(listener: () => void): () => void;
  /** Everybody's jobs and the backends too, as long as somebody asks for them (operators). Returns how to stop. */
  followAll(): () => void;
}

const key: InjectionKey<Page> = Symbol('page');

export function usePage(): Page {
  const page = inject(key);
  if (page === undefined) throw new Error('usePage() outside of the page');
  return page;
}

const askAgainMs = 5_000;

export function createPage(): Page & Plugin {
  const standing = shallowRef<Standing>({ kind: 'unknown' });
  const live = shallowRef<LiveState>('connecting');
  const listeners = shallowReactive(new Map<string, Set<(data: never) => void>>());
  const openListeners = new Set<() => void>();
  let followersOfAll = 0;
  let stopFollowing: (() => void) | undefined;
  let askAgain: ReturnType<typeof setTimeout> | undefined;

  async function refresh(): Promise<void> {
    clearTimeout(askAgain);
    try {
      const me = await call<Me>('api/bridge/me', { deadlineMs: 10_000 });
      standing.value = { kind: 'known', me };
      if (stopFollowing === undefined) follow();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      const { status, message } = error;
      if (status === 401 || status === 403) {
        standing.value = { kind: 'stranger', reason: message, hadKey: isEntered(currentSecret()) };
        unfollow();
        return;
      }
      // A page that is already open goes on with what it shows.
      if (standing.value.kind !== 'known') standing.value = { kind: 'unreachable', reason: message };
      askAgain = setTimeout(() => void refresh(), askAgainMs);
    }
  }

  function follow(): void {
    stopFollowing?.();
    stopFollowing = followEvents(followersOfAll > 0 ? '?previews=1&all=1' : '?previews=1', {
      onEvent: (name, data) => {
        // At first, and again where something was left out because this page was too slow.
        if (name === 'hello') openListeners.forEach((listener) => listener());
        // The key is over; the line ends with it.
        if (name === 'error') void refresh();
        for (const listener of listeners.get(name) ?? []) listener(data as never);
      },
      onState(state) {
        live.value = state;
        // It may be the key that is over.
        if (state === 'lost') void refresh();
      },
    });
  }

  function unfollow(): void {
    stopFollowing?.();
    stopFollowing = undefined;
  }

  return {
    standing,
    live,
    start: () => void refresh(),
    async signIn(secret) {
      const before = currentSecret();
      keepSecret(secret);
      try {
        const me = await call<Me>('api/bridge/me', { deadlineMs: 10_000 });
        standing.value = { kind: 'known', me };
        follow();
      } catch (error) {
        keepSecret(before);
        throw error;
      }
    },
    async signOut() {
      dropSecret();
      unfollow();
      standing.value = { kind: 'unknown' };
      await refresh();
    },
    hasEnteredKey: () => isEntered(currentSecret()),
    refresh,
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
    onOpen(listener) {
      openListeners.add(listener);
      if (live.value === 'open') listener();
      return () => openListeners.delete(listener);
    },
    followAll() {
      followersOfAll += 1;
      if (followersOfAll === 1 && stopFollowing !== undefined) follow();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        followersOfAll -= 1;
        if (followersOfAll === 0 && stopFollowing !== undefined) follow();
      };
    },
    install(app: App) {
      app.provide(key, this);
    },
  };
}
