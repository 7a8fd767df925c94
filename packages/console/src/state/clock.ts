import { onScopeDispose, ref } from 'vue';
import type { Ref } from 'vue';

/** The time in ms since the epoch, anew each second while somebody shows it. */
export function useNow(everyMs = 1_000): Readonly<Ref<number>> {
  const now = ref(Date.now());
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') now.value = Date.now();
  }, everyMs);
  onScopeDispose(() => clearInterval(timer));
  return now;
}
