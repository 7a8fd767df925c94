import { displayWidth, padToWidth, toPlainText } from './display-width.ts';

/** Columns side by side, two spaces between them; null shows as `-`. An empty table is its head alone. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => toPlainText(String(cell ?? '-'))))];
  const widths = head.map((_, index) => Math.max(...cells.map((row) => displayWidth(row[index] ?? ''))));
  return cells
    .map((row) => row.map((cell, index) => padToWidth(cell, widths[index] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Names before values, one line each; what is undefined is left out. */
export function renderFields(fields: Readonly<Record<string, string | number | null | undefined>>): string {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => displayWidth(name)));
  return shown
    .map(([name, value]) => `${padToWidth(name, width)}  ${toPlainText(String(value ?? '-'))}\n`)
    .join('');
}
