import { expect } from 'vitest';

import type { TestBridge } from './_start-bridge.ts';

export interface Scrape {
  text: string;
  /** Of a metric with exactly these labels among its own; 0 where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  /** Every value of a label. */
  labels(name: string): Set<string>;
  /** What the metrics are called, with the endings of histograms. */
  names: Set<string>;
}

/** What Prometheus gets. */
export async function scrape(t: TestBridge, init?: RequestInit): Promise<Scrape> {
  const answer = await t.get('/metrics', init);
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return parseScrape(text);
}

export function parseScrape(text: string): Scrape {
  const samples = text.split('\n').flatMap((line) => {
    const match = /^([a-z_][\w:]*)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (match === null) return [];
    const [, name = '', labels = '', value = ''] = match;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
      key,
      text,
    ]);
    return [
      { name, labels: new Map(pairs.map(([key = '', text = '']) => [key, text])), value: Number(value) },
    ];
  });
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const endings = type === 'histogram' || type === 'summary' ? ['_bucket', '_sum', '_count'] : [''];
    for (const ending of endings) names.add(`${name}${ending}`);
  }
  return {
    text,
    names,
    value(name, wanted = {}) {
      const fitting = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(wanted).every(([key, value]) => sample.labels.get(key) === value),
      );
      return fitting.reduce((sum, { value }) => sum + value, 0);
    },
    labels: (name) => new Set(samples.flatMap(({ labels }) => labels.get(name) ?? [])),
  };
}
