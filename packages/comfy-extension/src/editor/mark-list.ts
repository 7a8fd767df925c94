import { reorder, toggleMark } from '../marks/edit-marks.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import { readMarks } from '../marks/stored-marks.ts';
import { button, el } from './elements.ts';
import { jumpTo } from './jump-to.ts';
import { keyedList, type KeyedRow } from './keyed-list.ts';
import { markForm } from './mark-form.ts';
import { nodeTitle } from './node-inputs.ts';
import type { Session } from './session.ts';

/** The key of the entry that is being dragged. */
let dragged: string | undefined;

interface List {
  session: Session;
  /** As they are now: rows stay when the entries are others. */
  entries: readonly MarkEntry[];
  /** The keys of the entries whose form is shown. */
  open: Set<string>;
}

/**
 * All marks in the author's order, under the titles of their nodes. A mark is moved by dragging it or with the arrow keys on
 * its handle.
 */
export function markList(session: Session): {
  element: HTMLElement;
  update(entries: readonly MarkEntry[]): void;
} {
  const { element, draw } = keyedList();
  const list: List = { session, entries: [], open: new Set() };
  let workflow = session.workflow();
  return {
    element,
    update(entries) {
      // Another workflow may have marks of the same names.
      if (workflow !== session.workflow()) list.open.clear();
      workflow = session.workflow();
      list.entries = entries;
      draw(
        entries.flatMap((entry, index): KeyedRow[] => {
          const row = markRow(list, entry);
          return entries[index - 1]?.path === entry.path ? [row] : [headingRow(list, entry), row];
        }),
      );
    },
  };
}

function keyOf({ path, mark }: MarkEntry): string {
  return `${path}/${mark.name}`;
}

function find(list: List, key: string): { entry: MarkEntry; index: number } | undefined {
  const index = list.entries.findIndex((entry) => keyOf(entry) === key);
  const entry = list.entries[index];
  return entry === undefined ? undefined : { entry, index };
}

function headingRow(list: List, entry: MarkEntry): KeyedRow {
  const title = nodeTitle(entry.node);
  const key = keyOf(entry);
  return {
    key: `node:${key}`,
    signature: title,
    make() {
      const { session } = list;
      const jump = (): void => {
        const now = find(list, key);
        if (now !== undefined) jumpTo(session, now.entry.node);
      };
      const link = button(title, jump, {
        class: 'cb-link',
        title: session.texts().jumpTo(title),
        focusKey: `node:${key}`,
      });
      return el('div', { role: 'listitem', class: 'cb-node' }, link, el('span', {}, `#${entry.path}`));
    },
  };
}

function markRow(list: List, entry: MarkEntry): KeyedRow {
  const key = keyOf(entry);
  const { order: _order, ...mark } = entry.mark;
  const isOpen = list.open.has(key);
  const shown = [
    mark,
    entry.problems,
    entry.widget?.label,
    isOpen && readMarks(entry.node).descimages,
    isOpen,
  ];
  return { key, signature: JSON.stringify(shown), make: () => markItem(list, entry, isOpen) };
}

function markItem(list: List, entry: MarkEntry, isOpen: boolean): HTMLElement {
  const { session, open } = list;
  const t = session.texts();
  const { mark } = entry;
  const key = keyOf(entry);
  const shown = mark.label ?? entry.widget?.label ?? mark.name;
  const name = el('span', { class: 'cb-name' }, shown, mark.required === true && ' *');
  if (shown !== mark.name) name.append(el('small', {}, mark.name));
  const toggleForm = (): void => {
    if (isOpen) open.delete(key);
    else open.add(key);
    session.redraw();
  };
  const edit = button(t.edit(shown), toggleForm, {
    icon: `pi ${isOpen ? 'pi-chevron-up' : 'pi-pencil'}`,
    class: 'cb-plain',
    title: t.edit(shown),
    focusKey: `edit:${key}`,
  });
  edit.setAttribute('aria-expanded', String(isOpen));
  const takeAway = (): void => {
    const now = find(list, key);
    if (now === undefined) return;
    toggleMark(now.entry.node, mark.name, false);
    session.changed();
  };
  const remove = button(t.remove(shown), takeAway, {
    icon: 'pi pi-trash',
    class: 'cb-plain',
    title: t.remove(shown),
  });
  const handle = dragHandle(t.moveHandle(shown), `move:${key}`, (by) => {
    const index = find(list, key)?.index;
    if (index !== undefined) move(list, index, index + by);
  });
  const item = el(
    'div',
    { role: 'listitem', class: 'cb-mark' },
    el('div', { class: 'cb-row' }, handle, name, edit, remove),
    ...entry.problems.map((problem) => el('p', { class: 'cb-warning' }, t.problems[problem])),
    isOpen && markForm(session, entry, () => find(list, key)?.entry ?? entry),
  );
  makeDraggable(item, handle, key, (from) => {
    const to = find(list, key)?.index;
    const start = find(list, from)?.index;
    if (start !== undefined && to !== undefined) move(list, start, to);
  });
  return item;
}

function move({ session, entries }: List, from: number, to: number): void {
  if (to < 0 || to >= entries.length || to === from) return;
  reorder(entries, from, to);
  session.changed();
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
  key: string,
  onDrop: (from: string) => void,
): void {
  // Only by the handle, so that text in the form can still be selected.
  handle.draggable = true;
  handle.addEventListener('dragstart', (event) => {
    dragged = key;
    event.dataTransfer?.setData('text/plain', key);
    event.dataTransfer?.setDragImage(item, 0, 0);
    event.stopPropagation();
  });
  handle.addEventListener('dragend', () => {
    dragged = undefined;
  });
  item.addEventListener('dragover', (event) => {
    if (dragged === undefined) return;
    event.preventDefault();
    item.classList.toggle('cb-over', dragged !== key);
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
    if (dragged !== key) onDrop(dragged);
    dragged = undefined;
  });
}
