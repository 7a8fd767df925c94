import { timingSafeEqual } from 'node:crypto';

import type { Logger } from '../logging.ts';
import type { ApiKey, KnownKey } from './api-key.ts';
import { stateOf } from './api-key.ts';
import { createKeyBook } from './key-book.ts';
import type { KeyBook, KeyRecords } from './key-book.ts';
import { hashSecret, parseKeyToken } from './key-token.ts';

/** What a secret turned out to be. Only who has the right secret of a key is told what became of that key. */
export type FoundKey =
  | { ok: true; key: ApiKey; hash: string }
  | { ok: false; reason: 'unknown' | 'mistyped' | 'expired' | 'revoked' };

/** All keys, in memory: looking one up costs a digest and asks no store. */
export interface KeyRegistry
  extends Pick<KeyBook, 'create' | 'change' | 'rotate' | 'revoke'>, AsyncDisposable {
  find(secret: string): FoundKey;
  /** Whether this secret of this key is still good. */
  isGood(id: string, hash: string): boolean;
  list(): readonly KnownKey[];
  get(id: string): KnownKey | undefined;
  /** True when somebody could use one now. */
  hasUsable(): boolean;
  /** Called when keys were changed, here or by the command, and when one has expired. Returns how to stop. */
  onChange(listener: () => void): () => void;
}

export interface KeyRegistryOptions {
  /** How often it is looked for what the command has changed; default a second. */
  everyMs?: number;
}

const usesEveryMs = 60_000;
/** For ids that are not there: the comparison takes as long. */
const nobody = Buffer.alloc(32);

export async function createKeyRegistry(
  { records, now, log }: { records: KeyRecords; now: () => number; log: Logger },
  { everyMs = 1_000 }: KeyRegistryOptions = {},
): Promise<KeyRegistry> {
  const book = createKeyBook({ records, now });
  const listeners = new Set<() => void>();
  const uses = new Map<string, number>();
  let keys = new Map<string, KnownKey>();
  let revision: string | undefined;
  let nextEnd = Infinity;
  let usesWrittenAt = now();
  let looking: Promise<void> | undefined;
  let isFailing = false;
  let loading: Promise<void> = Promise.resolve();

  /** One after the other: an older answer must not replace a newer one. */
  function load(): Promise<void> {
    const loaded = loading.then(loadNow);
    loading = loaded.catch(() => {});
    return loaded;
  }

  async function loadNow(): Promise<void> {
    // Before the keys: what changes meanwhile is looked for again.
    revision = await book.revision();
    keys = new Map((await book.read()).map((known) => [known.key.id, known]));
    nextEnd = findNextEnd();
    for (const listener of listeners) listener();
  }

  /** When the next key, or a replaced secret, is over by itself. */
  function findNextEnd(): number {
    const ends = [...keys.values()].flatMap(({ key: { expiresAt, secrets } }) => [
      expiresAt ?? Infinity,
      ...secrets.map(({ until }) => until ?? Infinity),
    ]);
    // No spread: there may be ten thousand.
    return ends.filter((end) => end > now()).reduce((first, end) => Math.min(first, end), Infinity);
  }

  async function look(): Promise<void> {
    if ((await book.revision()) !== revision) await load();
    else if (now() >= nextEnd) {
      nextEnd = findNextEnd();
      for (const listener of listeners) listener();
    }
    if (uses.size > 0 && now() - usesWrittenAt >= usesEveryMs) await writeUses();
  }

  async function writeUses(): Promise<void> {
    usesWrittenAt = now();
    const written = new Map(uses);
    uses.clear();
    await book.writeUses(written);
    for (const [id, at] of written) {
      const known = keys.get(id);
      if (known !== undefined) keys.set(id, { ...known, lastUsedAt: at });
    }
  }

  function lookSoon(): void {
    looking ??= look()
      .then(() => {
        isFailing = false;
      })
      .catch((error: unknown) => {
        // Once for a store that is away for a while: the keys that are known go on working.
        if (!isFailing) log.warn({ err: error }, 'could not look for changed keys');
        isFailing = true;
      })
      .finally(() => {
        looking = undefined;
      });
  }

  function findSecret({ secrets }: ApiKey, hash: string): boolean {
    // All of them, so that the time tells nothing.
    return secrets
      .map(({ hash: kept, until }) => equal(kept, hash) && (until === null || until > now()))
      .includes(true);
  }

  async function reloading<T>(change: Promise<T>): Promise<T> {
    const changed = await change;
    await load();
    return changed;
  }

  const timer = setInterval(lookSoon, everyMs).unref();
  await load();

  return {
    find(secret) {
      const token = parseKeyToken(secret);
      if (token === undefined) return { ok: false, reason: 'unknown' };
      if (token === 'mistyped') return { ok: false, reason: 'mistyped' };
      const known = keys.get(token.id);
      const hash = hashSecret(token.secret);
      if (known === undefined) {
        timingSafeEqual(nobody, Buffer.from(hash, 'hex'));
        return { ok: false, reason: 'unknown' };
      }
      if (!findSecret(known.key, hash)) return { ok: false, reason: 'unknown' };
      const state = stateOf(known, now());
      if (state !== 'active') return { ok: false, reason: state };
      uses.set(token.id, now());
      return { ok: true, key: known.key, hash };
    },
    isGood(id, hash) {
      const known = keys.get(id);
      return known !== undefined && stateOf(known, now()) === 'active' && findSecret(known.key, hash);
    },
    list: () => [...keys.values()].map(withUse),
    get(id) {
      const known = keys.get(id);
      return known === undefined ? undefined : withUse(known);
    },
    hasUsable: () => [...keys.values()].some((known) => stateOf(known, now()) === 'active'),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    create: (wanted) => reloading(book.create(wanted)),
    change: (id, change) => reloading(book.change(id, change)),
    rotate: (id, options) => reloading(book.rotate(id, options)),
    revoke: (id) => reloading(book.revoke(id)),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      listeners.clear();
      await looking;
      // What is lost is when a key was used last, which is no reason to fail.
      if (uses.size > 0) await writeUses().catch(() => {});
    },
  };

  function withUse(known: KnownKey): KnownKey {
    return { ...known, lastUsedAt: uses.get(known.key.id) ?? known.lastUsedAt };
  }
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
