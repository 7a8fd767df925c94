import { addMark, toggleMark, toggleOutput } from '../marks/edit-marks.ts';
import { listCandidates } from '../marks/list-candidates.ts';
import { readMarks } from '../marks/stored-marks.ts';
import type { EditorNode } from './comfy-types.ts';
import { el, tick } from './elements.ts';
import type { Session } from './session.ts';

/** Reasons that no change of the workflow takes away. */
const never: ReadonlySet<string> = new Set(['no-name', 'no-such-widget', 'not-exported', 'unknown-node']);

/** Tick boxes for all values of a node, and one for its results. */
export function nodeInputs(session: Session, node: EditorNode): HTMLElement {
  const t = session.texts();
  const candidates = listCandidates(node);
  const boxes = candidates.map(({ name, label, marked, whyNot }) => {
    const why = whyNot === undefined ? undefined : whyNot === 'no-name' ? t.noName : t.problems[whyNot];
    const text = el('span', {}, label === '' ? name : label);
    if (label !== name && label !== '') text.append(el('span', { class: 'cb-hint' }, ` ${name}`));
    if (why !== undefined) text.append(el('span', { class: 'cb-hint' }, ` – ${why}`));
    const box = tick(
      text,
      marked,
      (on) => {
        const graph = session.rootGraph();
        if (on && graph !== undefined) addMark(graph, node, name);
        else toggleMark(node, name, on);
        session.changed();
      },
      {
        focusKey: `tick:${node.id}:${name}`,
        // What is marked can always be unmarked.
        disabled: !marked && whyNot !== undefined && never.has(whyNot),
      },
    );
    return el('li', {}, box);
  });
  const output = tick(
    t.markOutput,
    readMarks(node).output === true,
    (on) => {
      toggleOutput(node, on);
      session.changed();
    },
    { focusKey: `output:${node.id}`, title: t.markOutputHint },
  );
  return el(
    'div',
    { class: 'cb-stack' },
    boxes.length === 0
      ? el('p', { class: 'cb-hint' }, t.noWidgets)
      : el('ul', { class: 'cb-stack' }, ...boxes),
    output,
  );
}

/** How a node is called in lists. */
export function nodeTitle(node: { title?: string; type?: string | null; id: number | string }): string {
  return node.title || node.type || String(node.id);
}

/** Another text when `nodeInputs` of these nodes would look otherwise. */
export function stateOfNodes(nodes: readonly EditorNode[]): string {
  const [node, ...others] = nodes;
  if (node === undefined || others.length > 0) return String(nodes.length);
  const shown = listCandidates(node).map(({ name, label, marked, whyNot }) => [name, label, marked, whyNot]);
  return JSON.stringify([node.id, nodeTitle(node), shown, readMarks(node).output]);
}
