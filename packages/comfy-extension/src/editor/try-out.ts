import { toFormFields } from '../marks/form-fields.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import { button, el } from './elements.ts';
import { toMarkedPrompt } from './export-api.ts';
import type { Picture, Results } from './last-results.ts';
import { redraw } from './redraw.ts';
import type { Session } from './session.ts';
import { setValues } from './set-values.ts';
import { valueField } from './value-field.ts';

export interface Section {
  element: HTMLElement;
  update(entries: readonly MarkEntry[]): void;
  close(): void;
}

/**
 * A form as a caller sees it, which queues the workflow with its values. `values` holds what was typed, by the field's
 * key; the workflow's own value counts for the others.
 */
export function tryOut(
  session: Session,
  results: Results,
  values: Map<string, unknown>,
  onValue: () => void,
): Section & { reset(): void } {
  const t = session.texts();
  const fields = el('div', { class: 'cb-stack' });
  const said = el('p', { role: 'status', 'aria-live': 'polite' });
  const pictures = el('div', { class: 'cb-pictures' });
  let promptId: string | undefined;
  const early: Picture[] = [];
  const showPicture = (picture: Picture): void => {
    if (picture.promptId !== promptId) {
      early.unshift(picture);
      early.length = Math.min(early.length, 12);
      return;
    }
    said.textContent = t.result;
    const link = el('a', { href: picture.url, target: '_blank', rel: 'noopener' });
    link.append(el('img', { src: picture.url, alt: t.result }));
    pictures.prepend(link);
  };
  const run = button(t.run, () => void start(), { class: 'cb-primary' });
  let isBusy = false;
  const start = async (): Promise<void> => {
    // Not disabled meanwhile, which would take the focus away.
    if (isBusy) return;
    isBusy = true;
    pictures.replaceChildren();
    said.textContent = t.running;
    said.className = '';
    promptId = undefined;
    const answer = await queue(session, values);
    if ('promptId' in answer) {
      ({ promptId } = answer);
      // A cached result may be told before the answer to the request.
      for (const picture of early.splice(0)) if (picture.promptId === promptId) showPicture(picture);
    } else {
      said.className = 'cb-bad';
      said.textContent = `${t.runFailed} ${answer.message}`;
    }
    isBusy = false;
  };
  let drawn = '';
  return {
    element: el(
      'div',
      { class: 'cb-stack' },
      el('p', { class: 'cb-hint' }, t.tryOutHint),
      fields,
      run,
      said,
      pictures,
    ),
    update(entries) {
      const list = toFormFields(entries);
      // The entries are live objects of the editor; everything else of a field is plain.
      const state = JSON.stringify(list, (key, value: unknown) => {
        if (key === 'entry') return undefined;
        return typeof value === 'bigint' ? String(value) : value;
      });
      if (state === drawn) return;
      drawn = state;
      const made = list.map((field) =>
        valueField(session, field, values.has(field.key) ? values.get(field.key) : field.value, (value) => {
          values.set(field.key, value);
          onValue();
        }),
      );
      redraw(fields, made.length === 0 ? [el('p', { class: 'cb-hint' }, t.noMarks)] : made);
    },
    reset() {
      drawn = '';
      pictures.replaceChildren();
      said.textContent = '';
    },
    close: results.onPicture(showPicture),
  };
}

async function queue(
  session: Session,
  values: ReadonlyMap<string, unknown>,
): Promise<{ promptId: string | undefined } | { message: string }> {
  try {
    const { workflow, output, entries } = await toMarkedPrompt(session);
    const chosen = setValues(output, toFormFields(entries), values);
    const answer = await session.api.queuePrompt(0, { workflow, output: chosen });
    return { promptId: answer.prompt_id };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}
