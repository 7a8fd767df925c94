const latestMs = 200;

/** Calls once what may wait until the next picture is on the screen; soon too where none is drawn, as in a hidden page. */
export function afterPaint(work: () => void): void {
  let isDone = false;
  const run = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    work();
  };
  const timer = setTimeout(run, latestMs);
  // A frame's callbacks come before it is drawn, a timer set in them after.
  if (typeof requestAnimationFrame === 'function') requestAnimationFrame(() => setTimeout(run));
}
