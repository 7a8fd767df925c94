import type { EditorNode, MenuItem } from './comfy-types.ts';
import type { Session } from './session.ts';

/**
 * The entry of a node's context menu in versions that do not ask extensions for it (`getNodeMenuItems`): it is added to what
 * the canvas itself offers, which covers subgraphs and nodes of unknown classes too.
 */
export function addLegacyMenuEntry({ app }: Session, entry: (node: EditorNode) => MenuItem): void {
  if (typeof app.collectNodeMenuItems === 'function') return;
  const { canvas } = app;
  const original = canvas.getNodeMenuOptions;
  if (typeof original !== 'function') return;
  canvas.getNodeMenuOptions = function (node) {
    return [entry(node), null, ...original.call(this, node)];
  };
}
