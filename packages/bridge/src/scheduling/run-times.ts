/**
 * What a run took, learned from what ran: an exponentially weighted mean per workflow and backend, with the means over
 * all backends and over everything to fall back on. All in ms. Pure of clocks: callers measure.
 */
export interface RunTimes {
  record(workflow: string, backend: string, ms: number): void;
  /** The longest silence within a run that went well; for telling a slow node from a hanging one. */
  recordGap(workflow: string, ms: number): void;
  /** A silence longer than this is a hang, by what runs of this workflow have shown; undefined while too few have run. */
  hangLimit(workflow: string): number | undefined;
  /** Expected run time; `defaultMs` while nothing is known. */
  expect(workflow: string, backend: string): number;
}

const weightOfNewest = 0.3;
/** Runs before a silence is judged by what earlier ones showed. */
const runsToJudge = 3;
/** A machine may load a model, or be busy with something else, for this long at any time. */
const leastHangMs = 20_000;
/** Bounded, so that an endless stream of workflow names cannot grow it. */
const maxEntries = 10_000;

export function createRunTimes(defaultMs = 5_000): RunTimes {
  const means = new Map<string, number>();

  function learn(key: string, ms: number): void {
    const mean = means.get(key);
    if (mean === undefined && means.size >= maxEntries) return;
    means.set(key, mean === undefined ? ms : mean + weightOfNewest * (ms - mean));
  }

  const gaps = new Map<string, { runs: number; longestMs: number }>();

  const pairKey = (workflow: string, backend: string) => JSON.stringify([workflow, backend]);

  return {
    record(workflow, backend, ms) {
      learn(pairKey(workflow, backend), ms);
      learn(`workflow ${workflow}`, ms);
      learn(`backend ${backend}`, ms);
    },
    recordGap(workflow, ms) {
      const known = gaps.get(workflow);
      if (known === undefined && gaps.size >= maxEntries) return;
      // An outlier is forgotten slowly, so that one good day does not make the next slow node a hang.
      const longestMs = Math.max(ms, (known?.longestMs ?? 0) * 0.95);
      gaps.set(workflow, { runs: (known?.runs ?? 0) + 1, longestMs });
    },
    hangLimit(workflow) {
      const known = gaps.get(workflow);
      return known === undefined || known.runs < runsToJudge ? undefined : leastHangMs + known.longestMs * 5;
    },
    expect: (workflow, backend) =>
      means.get(pairKey(workflow, backend)) ??
      means.get(`workflow ${workflow}`) ??
      means.get(`backend ${backend}`) ??
      defaultMs,
  };
}
