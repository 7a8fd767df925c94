/** Keeps duplicate runs within their share of the jobs, whatever they come to. */
export interface DuplicateCredit {
  /** A job has ended well. True when it is one to run again. */
  earn(): boolean;
  /** A run begins, the first or the third one that decides. */
  spend(): void;
}

/** Runs that may be saved up: after a quiet time there is no burst of them. */
const most = 3;

/**
 * Each job earns its share of a run, each run costs one; a job is chosen by chance, so that no machine knows which. A run
 * that decides is never put off: what it costs beyond the credit, later ones wait for.
 */
export function createDuplicateCredit(share: number, random: () => number): DuplicateCredit {
  let credit = 0;
  return {
    earn() {
      credit = Math.min(most, credit + share);
      // By chance as well as by credit alone, half of the share would be left.
      return credit >= 1 && random() < Math.min(1, share * 2);
    },
    spend() {
      credit -= 1;
    },
  };
}
