import { toFormFields } from '../marks/form-fields.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import { pictureFile } from '../marks/picture-file.ts';
import { toCurl } from '../marks/to-curl.ts';
import { toWorkflowInfo } from '../marks/workflow-info.ts';
import { button, el } from './elements.ts';
import { lendingSection } from './lending.ts';
import type { Results } from './last-results.ts';
import { toAlias } from './publish-dialog.ts';
import { toBase } from './publish-request.ts';
import type { Session } from './session.ts';
import { readAddress } from './settings.ts';
import { tryOut, type Section } from './try-out.ts';

/** "Try it" and "For callers", both closed until the author opens them, and "Lending" where this PC is lent. */
export function createSections(session: Session, results: Results): Section {
  const t = session.texts();
  const values = new Map<string, unknown>();
  const info = codeBlock(session, t.workflowInfo);
  const curl = codeBlock(session, t.curl);
  let entries: readonly MarkEntry[] = [];
  const updateCode = (): void => {
    if (!callers.open) return;
    info.show(JSON.stringify(toWorkflowInfo(entries), null, 2));
    const chosen = toFormFields(entries).map(({ name, key, value }) => [
      name,
      values.has(key) ? values.get(key) : value,
    ]);
    const alias = toAlias(session.workflowName());
    const graph = session.rootGraph();
    curl.show(
      toCurl({
        bridgeUrl: toBase(readAddress(session)) ?? 'http://127.0.0.1:8000',
        alias,
        values: Object.fromEntries(chosen),
        saveAs: graph && pictureFile(graph, alias),
      }),
    );
  };
  const form = tryOut(session, results, values, updateCode);
  const callers = el(
    'details',
    { class: 'cb-section' },
    el('summary', {}, t.forCallers),
    curl.element,
    info.element,
  );
  const trial = el('details', { class: 'cb-section' }, el('summary', {}, t.tryOut), form.element);
  let workflow = session.workflow();
  const update = (): void => {
    if (trial.open) form.update(entries);
    updateCode();
  };
  const updateEntries = (now: readonly MarkEntry[]): void => {
    entries = now;
    // What was typed for one workflow is not meant for the next.
    if (session.workflow() !== workflow) {
      values.clear();
      form.reset();
    }
    workflow = session.workflow();
    update();
  };
  trial.addEventListener('toggle', update);
  callers.addEventListener('toggle', update);
  const lending = lendingSection(session);
  return {
    element: el('div', { class: 'cb-stack' }, trial, callers, lending.element),
    update: updateEntries,
    close() {
      form.close();
      lending.close();
    },
  };
}

function codeBlock(session: Session, title: string): { element: HTMLElement; show(text: string): void } {
  const t = session.texts();
  const code = el('pre', { class: 'cb-code', tabindex: 0 });
  const copy = button(t.copy, () => void copyText(), {});
  const copyText = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      session.say('success', t.copied);
    } catch {
      // Pages without TLS have no clipboard: the text is selected instead, for Ctrl+C.
      getSelection()?.selectAllChildren(code);
    }
  };
  const head = el('div', { class: 'cb-row' }, el('h4', { class: 'cb-name' }, title), copy);
  return {
    element: el('div', {}, head, code),
    show(text) {
      if (code.textContent !== text) code.textContent = text;
    },
  };
}
