import type { BackendVerdict, Placement } from '@comfy-bridge/protocol';

const ranks: Readonly<Record<BackendVerdict['verdict'], number>> = { free: 0, busy: 1, away: 2, unable: 3 };

/** Where it is done first comes first; those that cannot come last. */
export function sortVerdicts({ backends, choice }: Pick<Placement, 'backends' | 'choice'>): BackendVerdict[] {
  const finish = ({ expected }: BackendVerdict) => expected?.finishes_in_ms ?? Number.POSITIVE_INFINITY;
  return backends.toSorted(
    (a, b) =>
      Number(b.backend === choice) - Number(a.backend === choice) ||
      ranks[a.verdict] - ranks[b.verdict] ||
      finish(a) - finish(b) ||
      a.backend.localeCompare(b.backend, undefined, { numeric: true }),
  );
}

export type Conclusion = 'at-once' | 'when-free' | 'all-away' | 'nobody-can' | 'no-backends';

/** What the whole table says, in one word. */
export function conclude({ backends, can_run: canRun }: Pick<Placement, 'backends' | 'can_run'>): Conclusion {
  if (backends.length === 0) return 'no-backends';
  if (!canRun) return 'nobody-can';
  if (backends.some(({ verdict }) => verdict === 'free')) return 'at-once';
  return backends.some(({ verdict }) => verdict === 'busy') ? 'when-free' : 'all-away';
}

const longestValue = 1_000;
const longestQuery = 4_000;

/**
 * The inputs of a job as the placement is asked for with them: short ones alone, as long texts change nothing about where it
 * can run and do not fit into a URL. Undefined: without.
 */
export function toQuery(inputs: Readonly<Record<string, unknown>> | undefined): string {
  if (inputs === undefined) return '';
  const short = Object.entries(inputs).filter(
    ([, value]) => (JSON.stringify(value) ?? '').length <= longestValue,
  );
  const query = `?inputs=${encodeURIComponent(JSON.stringify(Object.fromEntries(short)))}`;
  return short.length === 0 || query.length > longestQuery ? '' : query;
}
