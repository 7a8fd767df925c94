import { showNumber } from '../_stats.ts';
import { strategyNames } from './compare.ts';
import type { Played, StrategyName } from './compare.ts';
import type { Measures } from './measures.ts';
import type { Scenario } from './scenario.ts';

export interface Result {
  scenario: Scenario;
  played: readonly Played[];
}

/** What a figure is over the seeds. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  return { median, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

/** One table of the bridge against all others, and one of everything. */
export function toTables(results: readonly Result[]): string {
  return `${[summaryOf(results), tightnessOf(results), detailsOf(results)].join('\n\n')}\n`;
}

function summaryOf(results: readonly Result[]): string {
  const others = strategyNames.slice(2);
  const head = [
    'scenario',
    'total ÷ bound',
    'mean ÷ bound',
    '… trained',
    ...others.map((name) => `${name} ÷ bridge`),
  ];
  const lines = results.map((result) => {
    const show = (name: StrategyName, key: keyof Measures) => showSpread(overSeeds(result, name, key));
    return [
      result.scenario.name,
      show('comfy-bridge', 'totalToBound') + (result.scenario.tight.total ? '' : ' *'),
      show('comfy-bridge', 'meanToBound') + (result.scenario.tight.mean ? '' : ' *'),
      `${show('comfy-bridge, trained', 'totalToBound')}; ${show('comfy-bridge, trained', 'meanToBound')}`,
      ...others.map((name) => {
        const total = ratioOverSeeds(result, name, 'totalMs');
        const mean = ratioOverSeeds(result, name, 'meanMs');
        return `${showNumber(total.median)}; ${showNumber(mean.median)}`;
      }),
    ];
  });
  const legend =
    'Median over the seeds (least–most). Of two figures the first is of the total time, the second of the mean completion. ' +
    '\\* the bound is not tight there.';
  return `${toMarkdownTable(head, lines)}\n\n${legend}`;
}

function tightnessOf(results: readonly Result[]): string {
  const lines = results.map(({ scenario: { name, about, backends, jobs, tight } }) => [
    name,
    `${backends} backends, ${jobs} jobs: ${about}`,
    tight.total ? 'yes' : 'no',
    tight.mean ? 'yes' : 'no',
    tight.why,
  ]);
  return toMarkdownTable(['scenario', 'what', 'total: tight', 'mean: tight', 'why'], lines);
}

function detailsOf(results: readonly Result[]): string {
  const head = [
    'scenario',
    'strategy',
    'total, s',
    '÷ bound',
    'mean completion, s',
    '÷ bound',
    'fairness',
    'worst wait, s',
    'model loads',
    'utilisation',
  ];
  const lines = results.flatMap((result) =>
    strategyNames.map((name, index) => {
      const show = (key: keyof Measures, unit = 1) => showNumber(overSeeds(result, name, key).median / unit);
      return [
        index === 0 ? result.scenario.name : '',
        name,
        show('totalMs', 1_000),
        show('totalToBound'),
        show('meanMs', 1_000),
        show('meanToBound'),
        show('fairness'),
        show('worstWaitMs', 1_000),
        overSeeds(result, name, 'loads').median.toFixed(0),
        `${show('utilisation', 0.01)} %`,
      ];
    }),
  );
  return toMarkdownTable(head, lines);
}

export function overSeeds({ played }: Result, name: StrategyName, key: keyof Measures): Spread {
  return spreadOf(played.map(({ measures }) => measures[name][key]));
}

/** How many times as long a strategy takes as the bridge. */
export function ratioOverSeeds({ played }: Result, name: StrategyName, key: 'totalMs' | 'meanMs'): Spread {
  return spreadOf(played.map(({ measures }) => measures[name][key] / measures['comfy-bridge'][key]));
}

export function showSpread({ median, least, most }: Spread): string {
  const shown = showNumber(median);
  return least === most ? shown : `${shown} (${showNumber(least)}–${showNumber(most)})`;
}

function toMarkdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
