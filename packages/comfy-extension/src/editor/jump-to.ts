import type { EditorNode } from './comfy-types.ts';
import type { Session } from './session.ts';

/** Shows a node in the middle of the canvas and selects it; opens the subgraph that it is in. */
export function jumpTo({ app }: Session, node: EditorNode): void {
  const { canvas } = app;
  const { graph } = node;
  if (graph !== undefined && graph !== null && graph !== canvas.graph) canvas.setGraph?.(graph);
  // Opening a subgraph puts its own view back in the next frame.
  requestAnimationFrame(() => {
    canvas.centerOnNode?.(node);
    canvas.deselectAll?.();
    canvas.select?.(node);
    canvas.setDirty?.(true, true);
  });
}
