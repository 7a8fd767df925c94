import type { Played } from './compare.ts';
import { label, palette, round, timeAxis, toSvg } from './picture.ts';
import type { Scenario } from './scenario.ts';
import type { Run } from './simulate.ts';

const width = 900;
const left = 88;
const right = 16;
const top = 56;
const gap = 56;

/** A line for each backend, fastest first: what it ran when, and in grey what it loaded; the bridge above the original. */
export function drawSchedule({ name, about }: Scenario, { world, outcomes, bound }: Played): string {
  const rowHeight = Math.max(6, Math.min(22, 200 / world.backends.length));
  const panelHeight = rowHeight * world.backends.length;
  const shown = ['comfy-bridge', 'fewest queued'] as const;
  const untilMs = Math.max(...shown.map((strategy) => outcomes[strategy].totalMs)) * 1.01;
  const startMs = world.jobs[0]?.at ?? 0;
  const toX = (ms: number) => round(left + ((ms - startMs) / untilMs) * (width - left - right));
  const order = world.backends.toSorted((a, b) => b.speed - a.speed);
  const rowOf = new Map(order.map(({ index }, row) => [index, row]));
  const panels = shown.flatMap((strategy, panel) => {
    const from = top + panel * (panelHeight + gap);
    const { runs, totalMs } = outcomes[strategy];
    const rowY = (backend: number) => round(from + ((rowOf.get(backend) ?? 0) + 0.5) * rowHeight);
    const said = `${strategy}: ${seconds(totalMs)} in all, ${(totalMs / bound.totalMs).toFixed(2)} × the bound`;
    return [
      label(said, { x: left, y: from - 7 }),
      ...timeAxis(
        { left, width: width - left - right, top: from, bottom: round(from + panelHeight) },
        untilMs,
      ),
      ...order.flatMap(({ speed, index }) =>
        rowHeight < 10
          ? []
          : label(`speed ${speed.toFixed(1)}`, {
              x: left - 6,
              y: rowY(index) + 3.5,
              kind: 'small',
              anchor: 'end',
            }),
      ),
      ...bars(runs, { toX, rowY, thickness: round(rowHeight * 0.8) }),
      `<path class="axis" stroke-dasharray="4 3" d="M${toX(startMs + bound.totalMs)} ${from}v${round(panelHeight)}"/>`,
    ];
  });
  const height = Math.round(top + 2 * panelHeight + gap + 24);
  const legend = 'colour: workflow; grey: loading its models; dashed: no schedule ends before';
  return toSvg({ width, height, title: `${name}: ${about}` }, [
    label(`${name}: ${about}`, { x: left, y: 18, kind: 'title' }),
    label(legend, { x: left, y: 33, kind: 'small' }),
    ...panels,
  ]);
}

interface Scale {
  toX(ms: number): number;
  rowY(backend: number): number;
  thickness: number;
}

/** One path for each colour: thousands of bars in a few bytes each. Runs of a workflow in a row are one bar. */
function bars(runs: readonly Run[], { toX, rowY, thickness }: Scale): string[] {
  const paths = new Map<string, string[]>();
  function add(kind: string, backend: number, [from, to]: [number, number]): void {
    const [x, end] = [toX(from), toX(to)];
    const path = paths.get(kind) ?? [];
    paths.set(kind, path);
    path.push(`M${x} ${rowY(backend)}H${Math.max(end, x + 0.1)}`);
  }
  for (const { backend, job, start, loadedAt, end } of joinRuns(runs)) {
    if (loadedAt > start) add('class="load"', backend, [start, loadedAt]);
    const colour = palette[job.workflow.index % palette.length] ?? '';
    add(`stroke="${colour}"`, backend, [loadedAt, end]);
  }
  return [...paths].map(([kind, path]) => `<path ${kind} stroke-width="${thickness}" d="${path.join('')}"/>`);
}

function joinRuns(runs: readonly Run[]): Run[] {
  const last = new Map<number, Run>();
  const joined: Run[] = [];
  for (const run of runs.toSorted((a, b) => a.start - b.start)) {
    const before = last.get(run.backend);
    const follows =
      before?.job.workflow === run.job.workflow && run.loadedAt === run.start && run.start - before.end < 1;
    if (before !== undefined && follows) {
      before.end = run.end;
      continue;
    }
    const copy = { ...run };
    last.set(run.backend, copy);
    joined.push(copy);
  }
  return joined;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(0)} s`;
}
