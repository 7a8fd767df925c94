import type { MarkEntry } from '../marks/mark-entry.ts';
import { watchMarks, type MarkLook } from '../marks/watch-marks.ts';
import type { EditorNode, SidebarTab } from './comfy-types.ts';
import { button, el } from './elements.ts';
import { markList } from './mark-list.ts';
import { nodeInputs, nodeTitle, stateOfNodes } from './node-inputs.ts';
import { outputList } from './output-list.ts';
import { redraw } from './redraw.ts';
import type { Session } from './session.ts';
import { addStyles } from './style.ts';

/** How often the tab looks for what the editor does not tell: another selection, a new link, a muted node, undo. */
const lookEveryMs = 400;

export const sidebarTabId = 'comfy-bridge-inputs';

interface SidebarActions {
  exportFile(): void;
  publish(): void;
  importMarks(): void;
  /** Sections below the list. They keep what was typed into them, so they are made once. */
  createSections(): { element: HTMLElement; update(entries: readonly MarkEntry[]): void; close(): void };
}

interface OpenTab {
  container: HTMLElement;
  close(): void;
}

/** The tab "API inputs". The editor may call `render` again without `destroy`, with the same element or another. */
export function sidebarTab(session: Session, actions: SidebarActions): SidebarTab {
  const t = session.texts();
  let openTab: OpenTab | undefined;
  const destroy = (): void => {
    openTab?.close();
    openTab = undefined;
  };
  return {
    id: sidebarTabId,
    icon: 'pi pi-sliders-h',
    title: t.tabTitle,
    tooltip: t.tabTooltip,
    type: 'custom',
    render(container) {
      if (openTab?.container === container && container.childElementCount > 0) return;
      destroy();
      openTab = openIn(container, session, actions);
    },
    destroy,
  };
}

function openIn(container: HTMLElement, session: Session, actions: SidebarActions): OpenTab {
  addStyles();
  const marks = el('div', { class: 'cb-stack' });
  const sections = actions.createSections();
  const page = el('div', { class: 'cb cb-sidebar' }, marks, sections.element);
  container.replaceChildren(page);
  const watch = watchMarks();
  let texts = session.texts();
  let parts = createParts(session, actions);
  marks.replaceChildren(...parts.elements);
  let drawn = '';
  let frame = 0;
  const look = (isIdle: boolean): { state: string; marked: MarkLook } => {
    const marked = watch.look(session.rootGraph() ?? {}, { isIdle });
    const selected = stateOfNodes(session.selectedNodes());
    return { state: `${marked.revision} ${selected} ${session.workflowName()}`, marked };
  };
  const draw = (): void => {
    if (texts !== session.texts()) {
      texts = session.texts();
      parts = createParts(session, actions);
      marks.replaceChildren(...parts.elements);
    }
    const { state, marked } = look(false);
    drawn = state;
    parts.update(marked);
    sections.update(marked.entries);
  };
  // After the event: what has the focus then keeps it, also when Tab or a click is on its way to another field.
  const drawSoon = (): void => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  };
  const stopListening = session.onChange(drawSoon);
  const timer = setInterval(() => {
    if (!document.hidden && (look(true).state !== drawn || texts !== session.texts())) drawSoon();
  }, lookEveryMs);
  // Letters typed here are not the editor's shortcuts.
  page.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' && !event.ctrlKey && !event.metaKey) event.stopPropagation();
  });
  draw();
  return {
    container,
    close() {
      stopListening();
      clearInterval(timer);
      cancelAnimationFrame(frame);
      sections.close();
      page.remove();
    },
  };
}

interface Parts {
  elements: HTMLElement[];
  update(marked: MarkLook): void;
}

/** The buttons, the selected node, the list of marks and that of results, each drawn anew only where it is another. */
function createParts(session: Session, actions: SidebarActions): Parts {
  const t = session.texts();
  const bar = el(
    'div',
    { class: 'cb-bar' },
    button(t.exportShort, actions.exportFile, { title: t.exportCommand, focusKey: 'export' }),
    button(t.publishShort, actions.publish, {
      title: t.publishCommand,
      focusKey: 'publish',
      class: 'cb-primary',
    }),
    button(t.importShort, actions.importMarks, { title: t.importCommand, focusKey: 'import' }),
  );
  const selected = el('div', {});
  const list = markList(session);
  const none = el('p', { class: 'cb-hint' }, t.noMarks);
  const outputs = outputList(session);
  let drawnNodes: readonly EditorNode[] = [];
  let drawnState = '';
  return {
    elements: [
      el('h2', {}, t.tabTitle),
      bar,
      el('section', { class: 'cb-section' }, el('h3', {}, t.selectedNode), selected),
      el('section', { class: 'cb-section' }, el('h3', {}, t.allInputs), none, list.element),
      el('section', { class: 'cb-section' }, el('h3', {}, t.results), ...outputs.elements),
    ],
    update({ entries, outputs: marked }) {
      const nodes = session.selectedNodes();
      const state = stateOfNodes(nodes);
      if (state !== drawnState || nodes[0] !== drawnNodes[0])
        redraw(selected, [selectedNode(session, nodes)]);
      drawnNodes = nodes;
      drawnState = state;
      none.hidden = entries.length > 0;
      list.update(entries);
      outputs.update(marked);
    },
  };
}

function selectedNode(session: Session, [node, ...others]: readonly EditorNode[]): HTMLElement {
  const t = session.texts();
  if (node === undefined) return el('p', { class: 'cb-hint' }, t.selectNode);
  if (others.length > 0) return el('p', { class: 'cb-hint' }, t.selectOne);
  return el('div', { class: 'cb-stack' }, el('h4', {}, nodeTitle(node)), nodeInputs(session, node));
}
