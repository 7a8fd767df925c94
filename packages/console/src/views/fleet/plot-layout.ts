/** One value over time; null: not known then. */
export interface Point {
  /** ms since the epoch */
  at: number;
  value: number | null;
}

export interface PlotFrame {
  /** ms since the epoch */
  from: number;
  to: number;
  /** The value at the upper edge. */
  max: number;
  width: number;
  height: number;
  /** Points further apart than this, in ms, are not joined: nothing is known in between. */
  gapMs: number;
}

export interface Plot {
  /** SVG paths: of the curve, and of the ground under it. */
  line: string;
  area: string;
}

/** The curve in its frame; nothing is drawn where nothing is known. */
export function layoutPlot(points: readonly Point[], frame: PlotFrame): Plot {
  const runs = splitAtGaps(points, frame);
  const paths = runs.map((run) => run.map(([x, y]) => `${x} ${y}`));
  return {
    line: paths.map((path) => `M${path.join('L')}${path.length === 1 ? 'h0.01' : ''}`).join(''),
    area: runs.map((run, index) => toArea(run, paths[index] ?? [], frame.height)).join(''),
  };
}

function toArea(run: readonly [number, number][], path: readonly string[], height: number): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return '';
  return `M${first[0]} ${height}L${path.join('L')}L${last[0]} ${height}Z`;
}

function splitAtGaps(points: readonly Point[], frame: PlotFrame): [number, number][][] {
  const { from, to, max, width, height, gapMs } = frame;
  const runs: [number, number][][] = [];
  let before: number | undefined;
  for (const { at, value } of points) {
    if (value === null || at < from || at > to) {
      if (value === null) before = undefined;
      continue;
    }
    const x = round(((at - from) / Math.max(1, to - from)) * width);
    const y = round(height - (Math.min(Math.max(value, 0), max) / Math.max(max, 1e-9)) * height);
    if (before === undefined || at - before > gapMs) runs.push([]);
    runs.at(-1)?.push([x, y]);
    before = at;
  }
  return runs;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export interface Range {
  least: number;
  most: number;
  last: number;
}

/** What a curve tells, for whoever does not see it; undefined when nothing is known. */
export function rangeOf(points: readonly Point[]): Range | undefined {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const last = values.at(-1);
  if (last === undefined) return undefined;
  return { least: Math.min(...values), most: Math.max(...values), last };
}

/** An upper edge that people can read off: 1, 2, 5, 10, 20 … */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}
