type Child = Node | string | undefined | false;
type Listeners = { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

interface Properties {
  /** An attribute is left out when it is undefined or false, and empty when it is true. */
  [attribute: string]: string | number | boolean | undefined | Listeners;
  on?: Listeners;
}

/** An element with attributes, listeners and children. Text is always text, never HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false || typeof value === 'object') continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, listener] of Object.entries(properties.on ?? {})) {
    if (typeof listener === 'function') listen(element, type, listener);
  }
  for (const child of children) if (child !== undefined && child !== false) element.append(child);
  return element;
}

function listen(element: HTMLElement, type: string, listener: (event: never) => void): void {
  // The mapped type above pairs every name with its event; that is lost in Object.entries.
  const handler: { handleEvent(event: Event): void } = {
    handleEvent: (event) => Reflect.apply(listener, element, [event]),
  };
  element.addEventListener(type, handler);
}

interface ButtonOptions {
  class?: string;
  title?: string;
  icon?: string;
  disabled?: boolean;
  /** Keeps the focus on this button when the list is drawn anew. */
  focusKey?: string;
}

export function button(label: string, onClick: () => void, options: ButtonOptions = {}): HTMLButtonElement {
  const { icon } = options;
  return el(
    'button',
    {
      type: 'button',
      class: `cb-button ${options.class ?? ''}`,
      title: options.title,
      disabled: options.disabled,
      'aria-label': icon === undefined ? undefined : label,
      'data-focus-key': options.focusKey,
      on: { click: onClick },
    },
    icon === undefined ? label : el('i', { class: icon, 'aria-hidden': 'true' }),
  );
}

interface FieldOptions {
  type?: 'text' | 'number' | 'password' | 'url';
  value: string;
  placeholder?: string;
  step?: string;
  focusKey?: string;
  autocomplete?: string;
  onChange(value: string): void;
}

/** A labelled line of text that reports when it was changed and left. */
export function field(label: string, options: FieldOptions): HTMLLabelElement {
  const input = el('input', {
    type: options.type ?? 'text',
    class: 'cb-input',
    value: options.value,
    placeholder: options.placeholder,
    step: options.step,
    autocomplete: options.autocomplete ?? 'off',
    spellcheck: 'false',
    'data-focus-key': options.focusKey,
  });
  input.addEventListener('change', () => {
    options.onChange(input.value);
  });
  return el('label', { class: 'cb-field' }, el('span', {}, label), input);
}

/** A labelled tick box. */
export function tick(
  label: Child,
  checked: boolean,
  onChange: (checked: boolean) => void,
  options: { focusKey?: string; title?: string; disabled?: boolean } = {},
): HTMLLabelElement {
  const input = el('input', {
    type: 'checkbox',
    checked,
    disabled: options.disabled,
    'data-focus-key': options.focusKey,
  });
  input.addEventListener('change', () => {
    onChange(input.checked);
  });
  return el('label', { class: 'cb-tick', title: options.title }, input, el('span', {}, label));
}
