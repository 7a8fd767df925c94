import type { PageReader } from './page-reader.ts';

/** Who reads the stream of everything, by whose jobs it is told of. */
export interface ReaderIndex {
  add(reader: PageReader): void;
  remove(reader: PageReader): void;
  all(): Iterable<PageReader>;
  /** Those that are told of an account's jobs: the account's own, and operators who see all. Nobody owns what has no account. */
  of(account: string | null): Iterable<PageReader>;
  /** Those of the account itself. */
  ownersOf(account: string | null): Iterable<PageReader>;
  /** Whether anybody is told of an account's jobs. */
  has(account: string | null): boolean;
  seeingAll(): Iterable<PageReader>;
  someSeeAll(): boolean;
  isEmpty(): boolean;
}

const nobody: ReadonlySet<PageReader> = new Set();

export function createReaderIndex(): ReaderIndex {
  const readers = new Set<PageReader>();
  const seeingAll = new Set<PageReader>();
  const byAccount = new Map<string, Set<PageReader>>();

  function ownersOf(account: string | null): ReadonlySet<PageReader> {
    return (account === null ? undefined : byAccount.get(account)) ?? nobody;
  }

  return {
    add(reader) {
      readers.add(reader);
      if (reader.seesAll) seeingAll.add(reader);
      const own = byAccount.get(reader.account) ?? new Set();
      byAccount.set(reader.account, own.add(reader));
    },
    remove(reader) {
      readers.delete(reader);
      seeingAll.delete(reader);
      const own = byAccount.get(reader.account);
      own?.delete(reader);
      if (own?.size === 0) byAccount.delete(reader.account);
    },
    all: () => readers,
    *of(account) {
      const own = ownersOf(account);
      yield* own;
      for (const reader of seeingAll) if (!own.has(reader)) yield reader;
    },
    ownersOf,
    has: (account) => seeingAll.size > 0 || ownersOf(account).size > 0,
    seeingAll: () => seeingAll,
    someSeeAll: () => seeingAll.size > 0,
    isEmpty: () => readers.size === 0,
  };
}
