import type { InputMark } from '@comfy-bridge/protocol';

import { setDescimages, updateMark, type MarkChanges } from '../marks/edit-marks.ts';
import type { MarkEntry } from '../marks/mark-entry.ts';
import { readMarks } from '../marks/stored-marks.ts';
import { el, field, tick } from './elements.ts';
import type { Session } from './session.ts';

/** The fields of one mark. A change is kept when its field is left, on the node that `current` says (undo makes others). */
export function markForm(session: Session, entry: MarkEntry, current: () => MarkEntry): HTMLElement {
  const t = session.texts();
  const { node, mark, path } = entry;
  const key = (name: string): string => `form:${path}/${mark.name}:${name}`;
  const change = (changes: MarkChanges): void => {
    updateMark(current().node, mark.name, changes);
    session.changed();
  };
  const number = (name: 'min' | 'max' | 'step', label: string): HTMLElement =>
    field(label, {
      value: mark[name] === undefined ? '' : String(mark[name]),
      focusKey: key(name),
      onChange(text) {
        const value = text.trim() === '' ? undefined : Number(text);
        if (value !== undefined && !Number.isFinite(value)) session.say('warn', t.badNumber(text));
        else if (name === 'step' && value !== undefined && value <= 0) session.say('warn', t.badStep);
        else {
          change({ [name]: value });
          return;
        }
        session.changed();
      },
    });
  return el(
    'div',
    { class: 'cb-form' },
    field(t.label, {
      value: mark.label ?? '',
      placeholder: mark.name,
      focusKey: key('label'),
      onChange: (text) => {
        change({ label: text.trim() || undefined });
      },
    }),
    field(t.description, {
      value: mark.description ?? '',
      focusKey: key('description'),
      onChange: (text) => {
        change({ description: text.trim() || undefined });
      },
    }),
    tick(
      t.required,
      mark.required === true,
      (on) => {
        change({ required: on || undefined });
      },
      { focusKey: key('required') },
    ),
    choice(t.type, t.automatic, t.types, mark.type, key('type'), (type) => {
      change({ type });
    }),
    el('div', { class: 'cb-threefold' }, number('min', t.min), number('max', t.max), number('step', t.step)),
    field(t.options, {
      value: (mark.options ?? []).join(', '),
      focusKey: key('options'),
      onChange: (text) => {
        change({ options: toOptions(text, current()) });
      },
    }),
    choice(t.format, t.none, t.formats, mark.format, key('format'), (format) => {
      change({ format });
    }),
    field(t.descimages, {
      value: (readMarks(node).descimages ?? []).join(', '),
      focusKey: key('descimages'),
      onChange: (text) => {
        setDescimages(
          current().node,
          text.split(',').flatMap((name) => name.trim() || []),
        );
        session.changed();
      },
    }),
  );
}

/** Numbers stay numbers where the widget has one. */
function toOptions(text: string, { widget, mark }: MarkEntry): InputMark['options'] {
  const wantsNumbers = typeof widget?.value === 'number' || mark.type === 'int' || mark.type === 'float';
  const options = text.split(',').flatMap((part) => {
    const option = part.trim();
    if (option === '') return [];
    return wantsNumbers && Number.isFinite(Number(option)) ? Number(option) : option;
  });
  return options.length === 0 ? undefined : options;
}

function choice<Value extends string>(
  label: string,
  none: string,
  names: Readonly<Record<Value, string>>,
  value: Value | undefined,
  focusKey: string,
  onChange: (value: Value | undefined) => void,
): HTMLElement {
  const isValue = (key: string): key is Value => Object.hasOwn(names, key);
  const options = Object.keys(names)
    .filter(isValue)
    .map((key) => el('option', { value: key, selected: key === value }, names[key]));
  const select = el(
    'select',
    { class: 'cb-input', 'data-focus-key': focusKey },
    el('option', { value: '' }, none),
    ...options,
  );
  select.addEventListener('change', () => {
    onChange(isValue(select.value) ? select.value : undefined);
  });
  return el('label', { class: 'cb-field' }, el('span', {}, label), select);
}
