import { parseNumbers } from './estimate-row.ts';

/** How long a run may be silent, by what earlier runs of its workflow have shown. All in ms. Pure of clocks. */
export interface HangLimits {
  /** The longest silence within a run that went well; for telling a slow node from a hanging one. */
  record(workflow: string, longestSilenceMs: number): void;
  /** A silence longer than this is a hang; undefined while too few have run. */
  limit(workflow: string): number | undefined;
  takeChanges(): Map<string, string>;
  restore(rows: ReadonlyMap<string, string>): void;
}

/** Runs before a silence is judged by what earlier ones showed. */
const runsToJudge = 3;
/** A machine may load a model, or be busy with something else, for this long at any time. */
const leastHangMs = 20_000;
/** Bounded, so that an endless stream of workflow names cannot grow it. */
const maxEntries = 10_000;

export function createHangLimits(): HangLimits {
  const silences = new Map<string, { runs: number; longestMs: number }>();
  const changed = new Set<string>();
  return {
    record(workflow, longestSilenceMs) {
      const known = silences.get(workflow);
      if (known === undefined && silences.size >= maxEntries) return;
      // An outlier is forgotten slowly, so that one good day does not make the next slow node a hang.
      const longestMs = Math.max(longestSilenceMs, (known?.longestMs ?? 0) * 0.95);
      silences.set(workflow, { runs: (known?.runs ?? 0) + 1, longestMs });
      changed.add(workflow);
    },
    limit(workflow) {
      const known = silences.get(workflow);
      return known === undefined || known.runs < runsToJudge ? undefined : leastHangMs + known.longestMs * 5;
    },
    takeChanges() {
      const rows = new Map<string, string>();
      for (const workflow of changed) {
        const { runs, longestMs } = silences.get(workflow) ?? { runs: 0, longestMs: 0 };
        rows.set(workflow, JSON.stringify([runs, Math.round(longestMs)]));
      }
      changed.clear();
      return rows;
    },
    restore(rows) {
      for (const [workflow, text] of rows) {
        const [runs, longestMs] = parseNumbers(text) ?? [];
        if (runs === undefined || longestMs === undefined || silences.size >= maxEntries) continue;
        silences.set(workflow, { runs, longestMs });
      }
    },
  };
}
