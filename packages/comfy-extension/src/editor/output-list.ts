import type { OutputEntry } from '../marks/mark-entry.ts';
import { button, el } from './elements.ts';
import { jumpTo } from './jump-to.ts';
import { keyedList, type KeyedRow } from './keyed-list.ts';
import { nodeTitle } from './node-inputs.ts';
import type { Session } from './session.ts';

/** The nodes whose results callers get. */
export function outputList(session: Session): {
  elements: HTMLElement[];
  update(outputs: readonly OutputEntry[]): void;
} {
  const t = session.texts();
  const all = el('p', { class: 'cb-hint' }, t.allResults);
  const list = keyedList();
  let current: readonly OutputEntry[] = [];
  const toRow = ({ node, path, problems }: OutputEntry): KeyedRow => {
    const title = nodeTitle(node);
    return {
      key: path,
      signature: JSON.stringify([title, problems]),
      make() {
        const jump = (): void => {
          const now = current.find((each) => each.path === path);
          if (now !== undefined) jumpTo(session, now.node);
        };
        const link = button(title, jump, {
          class: 'cb-link',
          title: t.jumpTo(title),
          focusKey: `result:${path}`,
        });
        return el(
          'div',
          { role: 'listitem' },
          el('div', { class: 'cb-node' }, link, el('span', {}, `#${path}`)),
          ...problems.map((problem) => el('p', { class: 'cb-warning' }, t.problems[problem])),
        );
      },
    };
  };
  return {
    elements: [all, list.element],
    update(outputs) {
      current = outputs;
      all.hidden = outputs.length > 0;
      list.draw(outputs.map(toRow));
    },
  };
}
