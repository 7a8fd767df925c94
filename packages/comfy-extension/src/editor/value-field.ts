import type { FormField } from '../marks/form-fields.ts';
import { el, field, tick } from './elements.ts';
import type { Session } from './session.ts';
import { uploadButton } from './upload-file.ts';

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
      : el(
          'div',
          { class: 'cb-stack' },
          made,
          uploadButton(session, input.format, (name) => {
            select.append(el('option', { value: select.length, selected: true }, name));
            select.value = String(select.length - 1);
            onValue(name);
          }),
        );
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
function filesOf({ options = [] }: FormField, chosen: string): string[] {
  const files = options.filter((file) => typeof file === 'string');
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
