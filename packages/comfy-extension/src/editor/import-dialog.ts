import { importFromApiFile } from '../marks/import-api-file.ts';
import { importFromAppMode } from '../marks/import-app-mode.ts';
import type { ImportReport } from '../marks/import-report.ts';
import { openDialog } from './dialog.ts';
import { button, el } from './elements.ts';
import { nodeTitle } from './node-inputs.ts';
import type { Session } from './session.ts';

/** Takes marks over from an API file or from App mode, and says what was taken and what was not. */
export function openImport(session: Session): void {
  const t = session.texts();
  const answer = el('div', { class: 'cb-stack', role: 'status', 'aria-live': 'polite' });
  const show = (report: ImportReport): void => {
    if (report.taken.length > 0) session.changed();
    answer.replaceChildren(...describe(session, report));
  };
  const file = el('input', { type: 'file', accept: '.json,application/json', class: 'cb-input' });
  const readChosen = async (): Promise<void> => {
    const graph = session.rootGraph();
    const [chosen] = file.files ?? [];
    if (graph === undefined || chosen === undefined) return;
    try {
      const parsed: unknown = JSON.parse(await chosen.text());
      show(importFromApiFile(parsed, graph));
    } catch {
      answer.replaceChildren(el('p', { class: 'cb-bad' }, t.importUnreadable));
    }
  };
  file.addEventListener('change', () => void readChosen());
  const appMode = button(t.importApp, () => {
    const graph = session.rootGraph();
    if (graph !== undefined) show(importFromAppMode(graph));
  });
  openDialog(
    { title: t.importTitle, closeLabel: t.close },
    el('p', { class: 'cb-hint' }, t.importHint),
    el('label', { class: 'cb-field' }, el('span', {}, t.importFile), file),
    el('div', { class: 'cb-bar' }, appMode),
    answer,
  );
}

function describe(session: Session, { taken, left }: ImportReport): Node[] {
  const t = session.texts();
  const list = (texts: string[]): HTMLElement => el('ul', {}, ...texts.map((text) => el('li', {}, text)));
  const said = el('strong', {}, taken.length === 0 ? t.importNothing : t.importTaken(taken.length));
  const names = taken.map(({ node, name }) => `${nodeTitle(node)}: ${name ?? t.results}`);
  if (left.length === 0) return [said, list(names)];
  const why = left.map(({ key, reason }) => `${key}: ${t.leftReasons[reason]}`);
  return [said, list(names), el('p', {}, t.importLeft), list(why)];
}
