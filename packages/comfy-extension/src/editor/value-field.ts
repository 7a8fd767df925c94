import type { FormField } from '../marks/form-fields.ts';
import { isRecord } from '../marks/is-record.ts';
import { button, el, field, tick } from './elements.ts';
import type { Session } from './session.ts';

/** The field of one input in the form of a caller. */
export function valueField(
  session: Session,
  input: FormField,
  value: unknown,
  onValue: (value: unknown) => void,
): HTMLElement {
  const label = `${input.label}${input.required ? ' *' : ''}`;
  const focusKey = `try:${input.key}`;
  const hint =
    input.description === undefined ? undefined : el('span', { class: 'cb-hint' }, input.description);
  const shown =
    typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
  if (input.type === 'bool') return tick(label, value === true, onValue, { focusKey });
  const options = input.format === undefined ? input.options : filesOf(input, shown);
  if (options !== undefined) {
    const select = choose(options, value, focusKey, onValue);
    const made = labelled(label, select, hint);
    return input.format === undefined
      ? made
      : el('div', { class: 'cb-stack' }, made, upload(session, select, onValue));
  }
  if (input.multiline) {
    const area = el('textarea', { class: 'cb-input', 'data-focus-key': focusKey }, shown);
    area.addEventListener('input', () => {
      onValue(area.value);
    });
    return labelled(label, area, hint);
  }
  const isNumber = input.type === 'int' || input.type === 'float';
  const made = field(label, {
    value: shown,
    focusKey,
    onChange(text) {
      const number = Number(text);
      onValue(isNumber && text.trim() !== '' && Number.isFinite(number) ? number : text);
    },
  });
  if (isNumber) addLimits(made, input);
  if (hint !== undefined) made.append(hint);
  return made;
}

/** The files that this ComfyUI offers for the input, and the one that is chosen. */
function filesOf({ entry }: FormField, chosen: string): string[] {
  const values = entry.widget?.options?.values;
  const files = Array.isArray(values) ? values.filter((file) => typeof file === 'string') : [];
  return [...new Set([...files, chosen])].filter((file) => file !== '');
}

function addLimits(label: HTMLElement, { min, max, step, type }: FormField): void {
  const input = label.querySelector('input');
  if (input === null) return;
  input.inputMode = type === 'int' ? 'numeric' : 'decimal';
  const limits = [
    min !== undefined && `≥ ${min}`,
    max !== undefined && `≤ ${max}`,
    step !== undefined && `± ${step}`,
  ];
  input.title = limits.filter((limit) => limit !== false).join(', ');
}

function labelled(label: string, input: HTMLElement, hint: HTMLElement | undefined): HTMLElement {
  return el('label', { class: 'cb-field' }, el('span', {}, label), input, hint);
}

function choose(
  options: readonly (string | number | boolean)[],
  value: unknown,
  focusKey: string,
  onValue: (value: unknown) => void,
): HTMLSelectElement {
  const made = options.map((option, index) =>
    el('option', { value: index, selected: option === value }, String(option)),
  );
  const select = el('select', { class: 'cb-input', 'data-focus-key': focusKey }, ...made);
  select.addEventListener('change', () => {
    onValue(options[Number(select.value)] ?? select.selectedOptions[0]?.text);
  });
  return select;
}

/** Sends a file to this ComfyUI's inputs and chooses it. */
function upload(session: Session, select: HTMLSelectElement, onValue: (value: unknown) => void): HTMLElement {
  const t = session.texts();
  const file = el('input', { type: 'file', hidden: true });
  const send = async (): Promise<void> => {
    const [chosen] = file.files ?? [];
    if (chosen === undefined) return;
    const body = new FormData();
    body.append('image', chosen);
    try {
      const response = await session.api.fetchApi('/upload/image', { method: 'POST', body });
      const saved: unknown = await response.json();
      if (!response.ok || !isRecord(saved) || typeof saved['name'] !== 'string')
        throw new Error(t.uploadFailed);
      select.append(el('option', { value: select.length, selected: true }, saved['name']));
      onValue(saved['name']);
    } catch {
      session.say('error', t.uploadFailed);
    }
  };
  file.addEventListener('change', () => void send());
  const open = button(t.uploadFile, () => {
    file.click();
  });
  return el('div', { class: 'cb-bar' }, open, file);
}
