/** How a picture lies in its window: `scale` 1 fits it in; `x`, `y` its shift from the middle, in pixels of the window. */
export interface View {
  scale: number;
  x: number;
  y: number;
}

export const fitted: View = { scale: 1, x: 0, y: 0 };

const largest = 16;

/** `factor` times larger, with the point of the picture that lies at `at` (from the middle) staying there. */
export function zoom(view: View, factor: number, at: { x: number; y: number } = { x: 0, y: 0 }): View {
  const scale = Math.min(Math.max(view.scale * factor, 1), largest);
  if (scale === 1) return fitted;
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

/** Pushed by so much, and no further than half of it out of a window of this size. */
export function pan(view: View, by: { x: number; y: number }, size: { width: number; height: number }): View {
  const reach = (length: number) => (length * view.scale) / 2;
  return {
    scale: view.scale,
    x: clamp(view.x + by.x, reach(size.width)),
    y: clamp(view.y + by.y, reach(size.height)),
  };
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, -limit), limit);
}
