/** What all pictures share: colours that can be told apart on light and on dark, and no background of their own. */
const style = `
text{font:12px system-ui,sans-serif;fill:#57606a}
.title{font-size:14px;font-weight:600}
.small{font-size:10px}
.axis{stroke:#8b949e;stroke-width:1;fill:none}
.grid{stroke:#8b949e;stroke-opacity:.25;stroke-width:1}
.load{stroke:#8b949e;stroke-opacity:.75}
@media (prefers-color-scheme:dark){text{fill:#9ea7b3}}`;

export const palette = [
  '#4c8bf5',
  '#e8710a',
  '#1a9e5c',
  '#c2418f',
  '#8e63ce',
  '#b08900',
  '#0e9aa7',
  '#d1495b',
  '#6b8e23',
  '#a0622d',
  '#5b7fa6',
  '#e377c2',
];

export function toSvg(
  { width, height, title }: { width: number; height: number; title: string },
  parts: readonly string[],
): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`;
  return `${head}<title>${escape(title)}</title><style>${style}</style>\n${parts.join('\n')}\n</svg>\n`;
}

export function label(
  text: string,
  {
    x,
    y,
    kind = '',
    anchor = 'start',
  }: { x: number; y: number; kind?: string; anchor?: 'start' | 'middle' | 'end' },
): string {
  const name = kind === '' ? '' : ` class="${kind}"`;
  return `<text x="${round(x)}" y="${round(y)}"${name} text-anchor="${anchor}">${escape(text)}</text>`;
}

/** A round number of ms that is about a `parts`th of the whole. */
export function tickStep(wholeMs: number, parts: number): number {
  const raw = wholeMs / parts;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

export function timeAxis(
  { left, width, top, bottom }: { left: number; width: number; top: number; bottom: number },
  untilMs: number,
): string[] {
  const step = tickStep(untilMs, 8);
  const ticks = Array.from({ length: Math.floor(untilMs / step) + 1 }, (_, index) => index * step);
  return ticks.flatMap((ms) => {
    const x = round(left + (ms / untilMs) * width);
    return [
      `<path class="grid" d="M${x} ${top}V${bottom}"/>`,
      label(ms === 0 ? '0' : `${ms / 1_000} s`, { x, y: bottom + 13, kind: 'small', anchor: 'middle' }),
    ];
  });
}

/** Few decimals keep pictures small. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
