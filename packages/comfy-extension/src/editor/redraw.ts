/**
 * Puts new content into an element (or lets `content` do that) without losing what the keyboard is on: the element with the
 * same `data-focus-key` gets the focus, and text fields their cursor.
 */
export function redraw(
  container: HTMLElement,
  content: readonly Node[] | ((container: HTMLElement) => void),
): void {
  const active = document.activeElement;
  const key =
    active instanceof HTMLElement && container.contains(active) ? active.dataset['focusKey'] : undefined;
  const cursor = isTextField(active) ? [active.selectionStart, active.selectionEnd] : undefined;
  if (typeof content === 'function') content(container);
  else container.replaceChildren(...content);
  if (key === undefined || document.activeElement === active) return;
  const again = [...container.querySelectorAll<HTMLElement>('[data-focus-key]')].find(
    (element) => element.dataset['focusKey'] === key,
  );
  again?.focus({ preventScroll: true });
  if (isTextField(again) && cursor !== undefined)
    again.setSelectionRange(cursor[0] ?? null, cursor[1] ?? null);
}

function isTextField(element: unknown): element is HTMLInputElement | HTMLTextAreaElement {
  return (
    element instanceof HTMLTextAreaElement || (element instanceof HTMLInputElement && element.type === 'text')
  );
}
