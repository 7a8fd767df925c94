import { expect, test } from 'vitest';

import { createHangLimits } from './hang-limits.ts';

test('says nothing before three runs were seen, then allows five times the longest silence and a model load', () => {
  const limits = createHangLimits();
  limits.record('upscale', 1_000);
  limits.record('upscale', 3_000);
  expect(limits.limit('upscale')).toBeUndefined();
  limits.record('upscale', 2_000);
  const limit = limits.limit('upscale') ?? 0;
  expect(limit).toBeGreaterThan(30_000);
  expect(limit).toBeLessThanOrEqual(35_000);
});

test('one workflow says nothing of another', () => {
  const limits = createHangLimits();
  for (let run = 0; run < 5; run += 1) limits.record('upscale', 1_000);
  expect(limits.limit('video')).toBeUndefined();
});

test('what was learned comes back from its rows, and damaged rows do not', () => {
  const limits = createHangLimits();
  for (let run = 0; run < 3; run += 1) limits.record('upscale', 1_000);
  const restored = createHangLimits();
  restored.restore(
    new Map([...limits.takeChanges(), ['broken', '{'], ['odd', '["a", 1]'], ['short', '[3]']]),
  );
  expect(restored.limit('upscale')).toBe(limits.limit('upscale'));
  for (const workflow of ['broken', 'odd', 'short']) expect(restored.limit(workflow)).toBeUndefined();
  expect(limits.takeChanges().size).toBe(0);
});
