import { collectMarks, collectOutputs } from '../marks/collect-marks.ts';
import type { SidebarTab } from './comfy-types.ts';
import { button, el } from './elements.ts';
import { jumpTo } from './jump-to.ts';
import { markList } from './mark-list.ts';
import { nodeInputs, nodeTitle } from './node-inputs.ts';
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
  createSections(): { element: HTMLElement; update(): void; close(): void };
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
  const openForms = new Set<string>();
  const marks = el('div', { class: 'cb-stack' });
  const sections = actions.createSections();
  const page = el('div', { class: 'cb cb-sidebar' }, marks, sections.element);
  container.replaceChildren(page);
  let drawn = '';
  let frame = 0;
  const draw = (): void => {
    drawn = stateOf(session);
    redraw(marks, content(session, actions, openForms));
    sections.update();
  };
  // After the event: what has the focus then keeps it, also when Tab or a click is on its way to another field.
  const drawSoon = (): void => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  };
  const stopListening = session.onChange(drawSoon);
  const timer = setInterval(() => {
    if (!document.hidden && stateOf(session) !== drawn) drawSoon();
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

function content(session: Session, actions: SidebarActions, openForms: Set<string>): Node[] {
  const t = session.texts();
  const graph = session.rootGraph();
  const entries = graph === undefined ? [] : collectMarks(graph);
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
  const list =
    entries.length === 0 ? el('p', { class: 'cb-hint' }, t.noMarks) : markList(session, entries, openForms);
  return [
    el('h2', {}, t.tabTitle),
    bar,
    el('section', { class: 'cb-section' }, el('h3', {}, t.selectedNode), selected(session)),
    el('section', { class: 'cb-section' }, el('h3', {}, t.allInputs), list),
    el('section', { class: 'cb-section' }, el('h3', {}, t.results), outputs(session)),
  ];
}

function selected(session: Session): HTMLElement {
  const t = session.texts();
  const [node, ...others] = session.selectedNodes();
  if (node === undefined) return el('p', { class: 'cb-hint' }, t.selectNode);
  if (others.length > 0) return el('p', { class: 'cb-hint' }, t.selectOne);
  return el('div', { class: 'cb-stack' }, el('h4', {}, nodeTitle(node)), nodeInputs(session, node));
}

function outputs(session: Session): HTMLElement {
  const t = session.texts();
  const graph = session.rootGraph();
  const marked = graph === undefined ? [] : collectOutputs(graph);
  if (marked.length === 0) return el('p', { class: 'cb-hint' }, t.allResults);
  const items = marked.map(({ node, path, problems }) => {
    const title = nodeTitle(node);
    const link = button(
      title,
      () => {
        jumpTo(session, node);
      },
      { class: 'cb-link', title: t.jumpTo(title), focusKey: `result:${path}` },
    );
    const row = el('div', { class: 'cb-node' }, link, el('span', {}, `#${path}`));
    return el(
      'li',
      {},
      row,
      ...problems.map((problem) => el('p', { class: 'cb-warning' }, t.problems[problem])),
    );
  });
  return el('ul', {}, ...items);
}

/** Changes when something that the tab shows does. */
function stateOf(session: Session): string {
  const graph = session.rootGraph();
  const entries = graph === undefined ? [] : collectMarks(graph);
  const results = graph === undefined ? [] : collectOutputs(graph);
  return JSON.stringify([
    session
      .selectedNodes()
      .map((node) => [node.id, nodeTitle(node), node.widgets?.map(({ name }) => name), linkedInputs(node)]),
    entries.map(({ path, mark, problems, node, widget }) => [
      path,
      mark,
      problems,
      nodeTitle(node),
      widget?.label,
    ]),
    results.map(({ path, node, problems }) => [path, nodeTitle(node), problems]),
    session.workflowName(),
  ]);
}

function linkedInputs(node: { inputs?: readonly { link?: number | null }[] }): unknown {
  return node.inputs?.map(({ link }) => link !== null && link !== undefined);
}
