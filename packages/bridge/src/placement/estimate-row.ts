import type { Estimate } from './estimate.ts';

/** `[observations, mean, spread]`, as it is stored. */
export function toEstimateRow({ n, mean, spread }: Estimate): string {
  return JSON.stringify([n, Number(mean.toFixed(4)), Number(spread.toFixed(4))]);
}

/** A stored row; undefined for one that is not ours, or damaged. */
export function parseEstimateRow(
  key: string,
  text: string,
): { parts: readonly unknown[]; estimate: Estimate } | undefined {
  const parts = parseList(key);
  const [n, mean, spread] = parseList(text) ?? [];
  if (parts === undefined) return undefined;
  if (typeof n !== 'number' || typeof mean !== 'number' || typeof spread !== 'number') return undefined;
  const isSane = n > 0 && n < 1e15 && Math.abs(mean) < 50 && spread >= 0 && spread < 50;
  if (parts.some((part) => typeof part === 'number' && !Number.isFinite(part))) return undefined;
  return isSane ? { parts, estimate: { n, mean, spread } } : undefined;
}

/** A stored list of numbers; undefined for anything else. */
export function parseNumbers(text: string): readonly number[] | undefined {
  const list = parseList(text);
  const isSane = list?.every((value) => typeof value === 'number' && Number.isFinite(value) && value >= 0);
  return isSane === true ? list?.map(Number) : undefined;
}

function parseList(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
