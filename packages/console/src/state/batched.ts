import { onScopeDispose } from 'vue';

/**
 * Gathers what comes faster than a page should be drawn: of each key the newest, handed over together. The first of a time
 * comes at once. Returns how to put something in.
 */
export function useBatched<Key, Value>(
  apply: (changes: ReadonlyMap<Key, Value>) => void,
  everyMs = 250,
): (key: Key, value: Value) => void {
  let waiting = new Map<Key, Value>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    timer = undefined;
    if (waiting.size === 0) return;
    const changes = waiting;
    waiting = new Map();
    timer = setTimeout(flush, everyMs);
    apply(changes);
  }

  onScopeDispose(() => clearTimeout(timer));
  return (key, value) => {
    waiting.set(key, value);
    if (timer === undefined) flush();
  };
}
