/**
 * What a run took, learned from what ran: an exponentially weighted mean per workflow and backend, with the means over
 * all backends and over everything to fall back on. All in ms. Pure of clocks: callers measure.
 */
export interface RunTimes {
  record(workflow: string, backend: string, ms: number): void;
  /** Expected run time; `defaultMs` while nothing is known. */
  expect(workflow: string, backend: string): number;
}

const weightOfNewest = 0.3;
/** Bounded, so that an endless stream of workflow names cannot grow it. */
const maxEntries = 10_000;

export function createRunTimes(defaultMs = 5_000): RunTimes {
  const means = new Map<string, number>();

  function learn(key: string, ms: number): void {
    const mean = means.get(key);
    if (mean === undefined && means.size >= maxEntries) return;
    means.set(key, mean === undefined ? ms : mean + weightOfNewest * (ms - mean));
  }

  const pairKey = (workflow: string, backend: string) => JSON.stringify([workflow, backend]);

  return {
    record(workflow, backend, ms) {
      learn(pairKey(workflow, backend), ms);
      learn(`workflow ${workflow}`, ms);
      learn(`backend ${backend}`, ms);
    },
    expect: (workflow, backend) =>
      means.get(pairKey(workflow, backend)) ??
      means.get(`workflow ${workflow}`) ??
      means.get(`backend ${backend}`) ??
      defaultMs,
  };
}
