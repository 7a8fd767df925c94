/** Something that speaks against a backend. */
export interface Evidence {
  /** ms since the epoch */
  readonly at: number;
  /** `canary`: a result that the bridge knows. `duplicate`: a result that another backend made too. */
  readonly kind: 'canary' | 'duplicate';
  /** For operators. */
  readonly detail: string;
  /** How far off it was, from 0 to 1; null where there was nothing to measure. */
  readonly difference: number | null;
}

/** A backend that is believed to answer with made-up or damaged results: it gets no jobs until an operator says otherwise. */
export interface Quarantine {
  readonly since: number;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

export interface LastCanary {
  readonly at: number;
  readonly outcome: 'right' | 'wrong' | 'unanswered';
  /** Why it was unanswered or wrong; null when it was right. */
  readonly detail: string | null;
}

/** What checks of its results have shown of a backend. Never changed: news is a new one. */
export interface Standing {
  /** Of the last canaries that it answered, the newest last; null: right. */
  readonly canaries: readonly (Evidence | null)[];
  /** Of the last duplicate runs that were decided, the newest last; null: it was with those who agreed. */
  readonly votes: readonly (Evidence | null)[];
  /** All that spoke against it, also where it was not decided whose fault that was; the newest last. */
  readonly doubts: readonly Evidence[];
  readonly lastCanary: LastCanary | null;
  /** When a canary was last right, ms since the epoch. */
  readonly rightAt: number | null;
  /** Canaries in a row without an answer. */
  readonly unanswered: number;
}

export const freshStanding: Standing = {
  canaries: [],
  votes: [],
  doubts: [],
  lastCanary: null,
  rightAt: null,
  unanswered: 0,
};

export type StandingNews =
  | { type: 'canary-right'; at: number }
  | { type: 'canary-unanswered'; at: number; reason: string }
  | { type: 'canary-wrong'; evidence: Evidence }
  | { type: 'vote-won' }
  | { type: 'vote-lost'; evidence: Evidence }
  /** Two results differed, and nobody could say whose is wrong. */
  | { type: 'doubted'; evidence: Evidence };

/** Verdicts of each kind that count. */
const window = 10;
const mostDoubts = 20;
/** Wrong ones among these that are too many. */
const wrongToQuarantine = 2;

/** Pure. */
export function noteNews(standing: Standing, news: StandingNews): Standing {
  switch (news.type) {
    case 'canary-right': {
      const lastCanary = { at: news.at, outcome: 'right', detail: null } as const;
      const canaries = latest([...standing.canaries, null]);
      return { ...standing, canaries, lastCanary, rightAt: news.at, unanswered: 0 };
    }
    case 'canary-unanswered': {
      const lastCanary = { at: news.at, outcome: 'unanswered', detail: news.reason } as const;
      return { ...standing, lastCanary, unanswered: standing.unanswered + 1 };
    }
    case 'canary-wrong': {
      const { at, detail } = news.evidence;
      const canaries = latest([...standing.canaries, news.evidence]);
      const lastCanary = { at, outcome: 'wrong', detail } as const;
      return { ...withDoubt(standing, news.evidence), canaries, lastCanary, unanswered: 0 };
    }
    case 'vote-won':
      return { ...standing, votes: latest([...standing.votes, null]) };
    case 'vote-lost': {
      const votes = latest([...standing.votes, news.evidence]);
      return { ...withDoubt(standing, news.evidence), votes };
    }
    case 'doubted':
      return withDoubt(standing, news.evidence);
  }
}

/**
 * Whether a backend is to be quarantined, and why. One wrong answer may be an accident: a bit that flipped, a driver that was
 * updated while it ran. Two among the last ten canaries, or the last ten votes, or one of each, are none: accidents that are
 * so frequent are a broken machine, whose results are as little worth. Pure.
 */
export function findQuarantine(standing: Standing, at: number): Quarantine | undefined {
  const canaries = standing.canaries.filter((one) => one !== null);
  const votes = standing.votes.filter((one) => one !== null);
  const evidence = [...canaries, ...votes];
  if (evidence.length < wrongToQuarantine) return undefined;
  const parts = [
    ...(canaries.length > 0 ? [`${canaries.length} of ${standing.canaries.length} canaries were wrong`] : []),
    ...(votes.length > 0
      ? [`${votes.length} of ${standing.votes.length} results differed from what two others made`]
      : []),
  ];
  return { since: at, reason: parts.join(', and '), evidence };
}

/** Whether its word counts when others differ: what the bridge itself knows to be wrong outweighs what machines say. */
export function isWitness({ canaries }: Standing): boolean {
  return canaries.every((one) => one === null);
}

function withDoubt(standing: Standing, evidence: Evidence): Standing {
  return { ...standing, doubts: [...standing.doubts, evidence].slice(-mostDoubts) };
}

function latest<T>(verdicts: readonly T[]): readonly T[] {
  return verdicts.slice(-window);
}
