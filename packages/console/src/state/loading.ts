import { onScopeDispose, shallowRef } from 'vue';
import type { ShallowRef } from 'vue';

import { CallError } from '../bridge/call.ts';

/** What is read from the bridge: never a blank, and an old value stays while the new one comes. */
export interface Loaded<T> {
  readonly value: Readonly<ShallowRef<T | undefined>>;
  /** Why the last try failed; undefined when it did not. */
  readonly error: Readonly<ShallowRef<CallError | undefined>>;
  readonly isLoading: Readonly<ShallowRef<boolean>>;
  /** Reads anew; of several at once, the last one counts. */
  reload(): Promise<void>;
  /** Puts in what is known otherwise, such as from an event. */
  set(value: T): void;
}

/** Ends with the view that uses it. */
export function useLoaded<T>(read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const value = shallowRef<T>();
  const error = shallowRef<CallError>();
  const isLoading = shallowRef(false);
  let running: AbortController | undefined;

  async function reload(): Promise<void> {
    running?.abort();
    const own = (running = new AbortController());
    isLoading.value = true;
    try {
      const found = await read(own.signal);
      if (own.signal.aborted) return;
      value.value = found;
      error.value = undefined;
    } catch (reason) {
      if (own.signal.aborted) return;
      error.value = reason instanceof CallError ? reason : new CallError(String(reason), 0);
    } finally {
      if (running === own) isLoading.value = false;
    }
  }
  onScopeDispose(() => running?.abort());
  void reload();
  return {
    value,
    error,
    isLoading,
    reload,
    set(found) {
      value.value = found;
    },
  };
}
