import { strategyNames } from './compare.ts';
import type { Played } from './compare.ts';
import { label, palette, round, timeAxis, toSvg } from './picture.ts';
import type { Scenario } from './scenario.ts';

const width = 900;
const height = 380;
const left = 60;
const right = 150;
const top = 52;
const bottom = height - 34;
const points = 150;

/** How many jobs were done when, for each strategy; and how many had come. */
export function drawProgress({ name, about }: Scenario, { world, outcomes, bound }: Played): string {
  const startMs = world.jobs[0]?.at ?? 0;
  const jobs = world.jobs.length;
  const longest = Math.max(...strategyNames.map((strategy) => outcomes[strategy].totalMs));
  const ours = outcomes['comfy-bridge'].totalMs;
  // What goes on for long after all others have ended tells nothing more.
  const untilMs = Math.min(longest, ours * 4) * 1.02;
  const toX = (ms: number) => round(left + (Math.min(ms, untilMs) / untilMs) * (width - left - right));
  const toY = (count: number) => round(bottom - (count / jobs) * (bottom - top));
  const curve = (times: readonly number[], attributes: string) => {
    const line = Array.from({ length: points + 1 }, (_, point) => {
      const index = Math.min(times.length - 1, Math.round((point / points) * times.length));
      return `${toX((times[index] ?? 0) - startMs)} ${toY(index + 1)}`;
    });
    return `<path fill="none" ${attributes} d="M${line.join('L')}"/>`;
  };
  const arrivals = world.jobs.map(({ at }) => at);
  const boundX = toX(bound.totalMs);
  return toSvg({ width, height, title: `${name}: ${about}` }, [
    label(`${name}: ${about}`, { x: left, y: 18, kind: 'title' }),
    label(`${world.backends.length} backends; jobs done over time`, { x: left, y: 34, kind: 'small' }),
    ...timeAxis({ left, width: width - left - right, top, bottom }, untilMs),
    ...[0, 0.5, 1].map((share) =>
      label(String(Math.round(jobs * share)), {
        x: left - 6,
        y: toY(jobs * share) + 4,
        kind: 'small',
        anchor: 'end',
      }),
    ),
    `<path class="axis" d="M${left} ${top}V${bottom}H${width - right}"/>`,
    `<path class="axis" stroke-dasharray="4 3" d="M${boundX} ${top}V${bottom}"/>`,
    ...(arrivals.at(-1) === startMs ? [] : [curve(arrivals, 'class="axis" stroke-dasharray="2 2"')]),
    ...strategyNames
      .map((strategy, index) =>
        curve(
          outcomes[strategy].runs.map(({ end }) => end),
          `stroke="${palette[index] ?? ''}" stroke-width="${index === 0 ? 2.5 : 1.5}"`,
        ),
      )
      .toReversed(),
    ...legend(arrivals.at(-1) !== startMs),
  ]);
}

function legend(showsArrivals: boolean): string[] {
  const x = width - right + 12;
  const entries = [
    ...strategyNames.map((name, index) => ({
      name,
      line: `stroke="${palette[index] ?? ''}" stroke-width="2.5"`,
    })),
    { name: 'bound: no end before', line: 'class="axis" stroke-dasharray="4 3"' },
    ...(showsArrivals ? [{ name: 'jobs that have come', line: 'class="axis" stroke-dasharray="2 2"' }] : []),
  ];
  return entries.flatMap(({ name, line }, index) => {
    const y = top + 10 + index * 18;
    return [`<path ${line} d="M${x} ${y - 3}h16"/>`, label(name, { x: x + 21, y, kind: 'small' })];
  });
}
