import { showNumber } from './_stats.ts';

/** One line of the table: a figure, what it is compared with, and whether it passes its gate. */
export interface Row {
  scenario: string;
  what: string;
  value: number;
  unit: string;
  /** The same taken without the bridge, or the best that could be. */
  reference?: { label: string; value: number };
  gate?: Limit;
  stretch?: Limit;
  /** What else was seen meanwhile: percentiles, CPU, memory. */
  notes?: string;
}

export type Limit = { atMost: number } | { atLeast: number };

export function passes(value: number, limit: Limit): boolean {
  return 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
}

const columns = [
  'scenario',
  'what',
  'measured',
  'compared with',
  'ratio',
  'gate',
  'pass',
  'stretch',
  'notes',
];

export function toMarkdown(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.scenario,
    row.what,
    `${showNumber(row.value)} ${row.unit}`,
    row.reference === undefined ? '' : `${row.reference.label} ${showNumber(row.reference.value)}`,
    row.reference === undefined ? '' : showNumber(row.value / row.reference.value),
    showLimit(row.gate),
    verdict(row.value, row.gate),
    row.stretch === undefined ? '' : `${showLimit(row.stretch)} ${verdict(row.value, row.stretch)}`,
    row.notes ?? '',
  ]);
  return [columns, columns.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export function failures(rows: readonly Row[]): Row[] {
  return rows.filter(({ value, gate }) => gate !== undefined && !passes(value, gate));
}

function showLimit(limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return 'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`;
}

function verdict(value: number, limit: Limit | undefined): string {
  if (limit === undefined) return '';
  return passes(value, limit) ? 'yes' : '**no**';
}
