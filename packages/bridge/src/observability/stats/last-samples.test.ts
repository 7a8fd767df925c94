import { expect, test } from 'vitest';

import { createLastSamples } from './last-samples.ts';

test('half of the samples are at or below the median, and few above the 95th percentile', () => {
  const samples = createLastSamples();
  for (let ms = 100; ms >= 1; ms -= 1) samples.add(ms);
  expect([samples.quantile(0.5), samples.quantile(0.95), samples.quantile(1)]).toEqual([51, 96, 100]);
});

test('only the last ones count', () => {
  const samples = createLastSamples({ size: 3 });
  for (const ms of [1_000, 1_000, 1, 2, 3]) samples.add(ms);
  expect([samples.count, samples.quantile(0), samples.quantile(0.5)]).toEqual([3, 1, 2]);
});

test('without a sample there is nothing to tell', () => {
  expect(createLastSamples().quantile(0.5)).toBeNull();
});
