import { el } from './elements.ts';
import { redraw } from './redraw.ts';

export interface KeyedRow {
  /** Its own in the list, and the same in the next drawing. */
  key: string;
  /** A row with the same one looks the same, so its element stays. */
  signature: string;
  make(): HTMLElement;
}

/**
 * Rows in one part of the list. The browser leaves out the parts that are out of sight, and only a part's own rows get their
 * styles anew when one of them goes.
 */
const rowsInPart = 40;

/** About how high a row is, for parts that were never in sight. */
const rowPixels = 32;

/**
 * A list that is drawn again and again, where only what is another is touched: elements of rows that did not change stay, with
 * the focus and the text that is being typed in them. A row's element should be a `div` with the role `listitem`.
 */
export function keyedList(): { element: HTMLElement; draw(rows: readonly KeyedRow[]): void } {
  const element = el('div', { role: 'list' });
  const parts: HTMLElement[] = [];
  let drawn = new Map<string, { signature: string; element: HTMLElement }>();
  const draw = (rows: readonly KeyedRow[]): void => {
    const next: typeof drawn = new Map();
    for (const { key, signature, make } of rows) {
      const old = drawn.get(key);
      next.set(key, old?.signature === signature ? old : { signature, element: make() });
    }
    const elements = [...next.values()].map((row) => row.element);
    drawn = next;
    redraw(element, () => {
      placeParts(element, parts, elements);
    });
  };
  return { element, draw };
}

function placeParts(list: HTMLElement, parts: HTMLElement[], rows: readonly HTMLElement[]): void {
  const needed = Math.ceil(rows.length / rowsInPart);
  for (const part of parts.splice(needed)) part.remove();
  for (let index = 0; index < needed; index += 1) {
    const own = rows.slice(index * rowsInPart, (index + 1) * rowsInPart);
    const part = parts[index] ?? el('div', { role: 'none', class: 'cb-part' });
    part.style.containIntrinsicHeight = `auto ${own.length * rowPixels}px`;
    placeChildren(part, own);
    if (part.parentNode !== list) list.append(part);
    parts[index] = part;
  }
}

/** Makes these the children, in this order, with few moves where few of them are new, gone or moved. */
export function placeChildren(container: HTMLElement, wanted: readonly ChildNode[]): void {
  const staying = new Set(wanted);
  for (const child of [...container.childNodes]) if (!staying.has(child)) child.remove();
  let at = container.firstChild;
  for (const node of wanted) {
    // A child that was moved down: what follows it is in its place already.
    if (at !== null && at !== node && at.nextSibling === node) {
      at.remove();
      at = node;
    }
    if (at === node) at = node.nextSibling;
    else container.insertBefore(node, at);
  }
}
