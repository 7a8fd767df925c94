import { reorder, toggleMark } from '../marks/edit-marks.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import { button, el } from './elements.ts';
import { jumpTo } from './jump-to.ts';
import { markForm } from './mark-form.ts';
import { nodeTitle } from './node-inputs.ts';
import type { Session } from './session.ts';

/** The entry that is being dragged, by its place in the list. */
let dragged: number | undefined;

/**
 * All marks in the author's order, under the titles of their nodes. A mark is moved by dragging it or with the arrow keys on
 * its handle. `open` holds the keys of the entries whose form is shown.
 */
export function markList(session: Session, entries: readonly MarkEntry[], open: Set<string>): HTMLElement {
  const list = el('ul', {});
  let previous: MarkEntry | undefined;
  for (const [index, entry] of entries.entries()) {
    if (previous?.path !== entry.path) list.append(nodeHeading(session, entry));
    list.append(markItem({ session, entries, open }, entry, index));
    previous = entry;
  }
  return list;
}

function nodeHeading(session: Session, { node, path }: MarkEntry): HTMLElement {
  const title = nodeTitle(node);
  const link = el(
    'button',
    {
      type: 'button',
      class: 'cb-link',
      title: session.texts().jumpTo(title),
      'data-focus-key': `node:${path}`,
      on: {
        click: () => {
          jumpTo(session, node);
        },
      },
    },
    title,
  );
  return el('li', { class: 'cb-node' }, link, el('span', {}, `#${path}`));
}

interface List {
  session: Session;
  entries: readonly MarkEntry[];
  open: Set<string>;
}

function markItem({ session, entries, open }: List, entry: MarkEntry, index: number): HTMLElement {
  const t = session.texts();
  const { mark, node, path } = entry;
  const key = `${path}/${mark.name}`;
  const isOpen = open.has(key);
  const shown = mark.label ?? entry.widget?.label ?? mark.name;
  const name = el('span', { class: 'cb-name' }, shown, mark.required === true && ' *');
  if (shown !== mark.name) name.append(el('small', {}, mark.name));
  const edit = button(
    t.edit(shown),
    () => {
      if (isOpen) open.delete(key);
      else open.add(key);
      session.changed();
    },
    {
      icon: `pi ${isOpen ? 'pi-chevron-up' : 'pi-pencil'}`,
      class: 'cb-plain',
      title: t.edit(shown),
      focusKey: `edit:${key}`,
    },
  );
  edit.setAttribute('aria-expanded', String(isOpen));
  const remove = button(
    t.remove(shown),
    () => {
      toggleMark(node, mark.name, false);
      session.changed();
    },
    { icon: 'pi pi-trash', class: 'cb-plain', title: t.remove(shown) },
  );
  const move = (to: number): void => {
    if (to < 0 || to >= entries.length || to === index) return;
    reorder(entries, index, to);
    session.changed();
  };
  const handle = dragHandle(t.moveHandle(shown), `move:${key}`, (by) => {
    move(index + by);
  });
  const item = el(
    'li',
    { class: 'cb-mark' },
    el('div', { class: 'cb-row' }, handle, name, edit, remove),
    ...entry.problems.map((problem) => el('p', { class: 'cb-warning' }, t.problems[problem])),
    isOpen && markForm(session, entry),
  );
  makeDraggable(item, handle, index, (from) => {
    reorder(entries, from, index);
    session.changed();
  });
  return item;
}

function dragHandle(label: string, focusKey: string, moveBy: (by: number) => void): HTMLElement {
  // Not a button element: some browsers do not let those be dragged.
  const handle = el(
    'span',
    {
      role: 'button',
      tabindex: 0,
      class: 'cb-button cb-plain cb-handle',
      title: label,
      'aria-label': label,
      'data-focus-key': focusKey,
    },
    el('i', { class: 'pi pi-bars', 'aria-hidden': 'true' }),
  );
  handle.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    event.stopPropagation();
    moveBy(by);
  });
  return handle;
}

function makeDraggable(
  item: HTMLElement,
  handle: HTMLElement,
  index: number,
  onDrop: (from: number) => void,
): void {
  // Only by the handle, so that text in the form can still be selected.
  handle.draggable = true;
  handle.addEventListener('dragstart', (event) => {
    dragged = index;
    event.dataTransfer?.setData('text/plain', String(index));
    event.dataTransfer?.setDragImage(item, 0, 0);
    event.stopPropagation();
  });
  handle.addEventListener('dragend', () => {
    dragged = undefined;
  });
  item.addEventListener('dragover', (event) => {
    if (dragged === undefined) return;
    event.preventDefault();
    item.classList.toggle('cb-over', dragged !== index);
  });
  item.addEventListener('dragleave', () => {
    item.classList.remove('cb-over');
  });
  item.addEventListener('drop', (event) => {
    item.classList.remove('cb-over');
    if (dragged === undefined) return;
    // The canvas would take a drop for a workflow file.
    event.preventDefault();
    event.stopPropagation();
    if (dragged !== index) onDrop(dragged);
    dragged = undefined;
  });
}
