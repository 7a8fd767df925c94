import { onScopeDispose } from 'vue';

/**
 * Does work when no mouse button or finger is down. What moves the page between pressing and letting go takes the button from
 * under the finger, and the press is lost.
 */
export function useAfterPress(): (work: () => void) => void {
  let isPressed = false;
  const waiting: (() => void)[] = [];

  const press = () => {
    isPressed = true;
  };
  const release = () => {
    isPressed = false;
    // The click comes first.
    setTimeout(() => {
      for (const work of waiting.splice(0)) work();
    });
  };
  document.addEventListener('pointerdown', press, true);
  document.addEventListener('pointerup', release, true);
  document.addEventListener('pointercancel', release, true);
  onScopeDispose(() => {
    document.removeEventListener('pointerdown', press, true);
    document.removeEventListener('pointerup', release, true);
    document.removeEventListener('pointercancel', release, true);
  });

  return (work) => {
    if (isPressed) waiting.push(work);
    else work();
  };
}
