import { onScopeDispose } from 'vue';

/**
 * Reads anew again and again, `everyMs` after the last time that it came back: what events tell too, for the time that the
 * line is cut. Not while nobody looks at the page. Ends with the view that uses it.
 */
export function usePolling(reload: () => Promise<void>, everyMs: () => number): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  async function readAndWait(): Promise<void> {
    if (document.visibilityState === 'visible') await reload();
    wait();
  }
  function wait(): void {
    if (!isOver) timer = setTimeout(() => void readAndWait(), everyMs());
  }
  function onVisible(): void {
    if (document.visibilityState === 'visible') void reload();
  }

  document.addEventListener('visibilitychange', onVisible);
  onScopeDispose(() => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisible);
  });
  wait();
}
