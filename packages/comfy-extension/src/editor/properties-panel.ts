import { addMark, toggleMark } from '../marks/edit-marks.ts';
import { marksProperty, readMarks } from '../marks/stored-marks.ts';
import type { EditorNode } from './comfy-types.ts';
import type { Session } from './session.ts';

const hooked = new WeakSet<EditorNode>();

/**
 * The row "API input" of the classic Properties Panel: names of inputs with commas between them. The raw property is hidden
 * from it. Versions without that panel never call this.
 */
export function addPanelRow(session: Session, node: EditorNode): void {
  if (hooked.has(node)) return;
  hooked.add(node);
  const original = node.onShowCustomPanelInfo;
  const originalRow = node.onAddPropertyToPanel;
  node.onAddPropertyToPanel = function (name, panel) {
    // True: this row is dealt with. As a text it would show, and save, `[object Object]`.
    return name === marksProperty || originalRow?.call(this, name, panel) === true;
  };
  node.onShowCustomPanelInfo = function (panel) {
    original?.call(this, panel);
    if (typeof panel.addWidget !== 'function') return;
    const value = readMarks(node)
      .inputs.map(({ name }) => name)
      .join(', ');
    panel.addWidget('string', session.texts().panelInputs, value, {}, (_name, text) => {
      setNames(session, node, typeof text === 'string' ? text : '');
      session.changed();
    });
  };
}

/** Marks exactly the named inputs; what is known of a mark that stays, stays. */
function setNames({ rootGraph }: Session, node: EditorNode, text: string): void {
  const names = new Set(text.split(',').flatMap((name) => name.trim() || []));
  for (const { name } of readMarks(node).inputs) if (!names.has(name)) toggleMark(node, name, false);
  for (const name of names) addMark(rootGraph() ?? {}, node, name);
}
