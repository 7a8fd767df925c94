import { randomUUID } from 'node:crypto';

import type { RecordCollections } from '../lib/records.ts';
import { noLimits, parseApiKey, stateOf } from './api-key.ts';
import type { ApiKey, KeyLimits, KnownKey } from './api-key.ts';
import { createKeyId, createKeyToken } from './key-token.ts';

/** The part of a store that keeps keys. */
export type KeyRecords = Omit<RecordCollections, 'dropRecords'>;

export type WantedKey = Pick<ApiKey, 'name' | 'role' | 'createdBy'> &
  Partial<Pick<ApiKey, 'expiresAt' | 'workflows'>> & { limits?: Partial<KeyLimits> };

export type KeyChange = Partial<Pick<ApiKey, 'name' | 'role' | 'expiresAt' | 'workflows'>> & {
  limits?: Partial<KeyLimits>;
};

/**
 * Keys in a store. Two processes may write at the same time, the bridge and the command: so what was revoked is written
 * beside the key, where no change of it can undo that, and every change leaves a new revision, by which a bridge notices.
 */
export interface KeyBook {
  /** Oldest first. */
  read(): Promise<KnownKey[]>;
  /** Changes with every change; undefined before the first. */
  revision(): Promise<string | undefined>;
  /** `token` is told once, and kept nowhere. Throws `KeyBookError`. */
  create(wanted: WantedKey): Promise<{ known: KnownKey; token: string }>;
  /** Undefined when there is no such key; revoked ones are as they are. */
  change(id: string, change: KeyChange): Promise<KnownKey | undefined>;
  /** A new secret for the same key; the one before is good for `overlapMs` more. */
  rotate(id: string, options: { overlapMs: number }): Promise<{ known: KnownKey; token: string } | undefined>;
  /** For good. Doing it again changes nothing. */
  revoke(id: string): Promise<KnownKey | undefined>;
  writeUses(uses: ReadonlyMap<string, number>): Promise<void>;
}

/** There are as many keys as may be. */
export class KeyBookError extends Error {
  override readonly name = 'KeyBookError';
}

const collections = { keys: 'keys', revoked: 'key-revocations', uses: 'key-uses', revision: 'key-revision' };
const maxKeys = 10_000;
/** Keys that are over are still listed for so long. */
const keptMs = 90 * 24 * 60 * 60 * 1000;

export function createKeyBook({ records, now }: { records: KeyRecords; now: () => number }): KeyBook {
  async function read(): Promise<KnownKey[]> {
    const [keys, revoked, uses] = await Promise.all([
      records.readRecords(collections.keys),
      records.readRecords(collections.revoked),
      records.readRecords(collections.uses),
    ]);
    return [...keys.values()]
      .flatMap((text) => parseApiKey(text) ?? [])
      .map((key) => ({
        key,
        revokedAt: toTime(revoked.get(key.id)),
        lastUsedAt: toTime(uses.get(key.id)),
      }))
      .toSorted((a, b) => a.key.createdAt - b.key.createdAt || (a.key.id < b.key.id ? -1 : 1));
  }

  async function find(id: string): Promise<KnownKey | undefined> {
    const text = await records.readRecord(collections.keys, id);
    const key = text === undefined ? undefined : parseApiKey(text);
    if (key === undefined) return undefined;
    return {
      key,
      revokedAt: toTime(await records.readRecord(collections.revoked, id)),
      lastUsedAt: toTime(await records.readRecord(collections.uses, id)),
    };
  }

  async function write(key: ApiKey): Promise<void> {
    await records.writeRecords(collections.keys, new Map([[key.id, JSON.stringify(key)]]), { durable: true });
    await touchRevision();
  }

  async function touchRevision(): Promise<void> {
    await records.writeRecords(collections.revision, new Map([['revision', randomUUID()]]));
  }

  async function makeRoom(): Promise<void> {
    const known = await read();
    const over = known.filter((one) => {
      const endedAt = one.revokedAt ?? one.key.expiresAt;
      return endedAt !== null && stateOf(one, now()) !== 'active' && endedAt + keptMs <= now();
    });
    if (known.length - over.length >= maxKeys)
      throw new KeyBookError(`there are ${maxKeys} keys, as many as may be: revoke some`);
    const ids = over.map(({ key }) => key.id);
    for (const collection of [collections.keys, collections.revoked, collections.uses])
      if (ids.length > 0) await records.removeRecords(collection, ids);
  }

  return {
    read,
    revision: () => records.readRecord(collections.revision, 'revision'),
    async create({ limits, ...wanted }) {
      await makeRoom();
      const id = createKeyId();
      const { text, hash } = createKeyToken(id);
      const key: ApiKey = {
        ...{ id, expiresAt: null, workflows: null, createdAt: now() },
        ...wanted,
        secrets: [{ hash, until: null }],
        limits: { ...noLimits, ...limits },
      };
      await write(key);
      return { known: { key, revokedAt: null, lastUsedAt: null }, token: text };
    },
    async change(id, { limits, ...change }) {
      const known = await find(id);
      if (known === undefined || known.revokedAt !== null) return known;
      const key = { ...known.key, ...change, limits: { ...known.key.limits, ...limits } };
      await write(key);
      return { ...known, key };
    },
    async rotate(id, { overlapMs }) {
      const known = await find(id);
      if (known === undefined || known.revokedAt !== null) return undefined;
      const { text, hash } = createKeyToken(id);
      const before = known.key.secrets.slice(0, 1).map((secret) => ({ ...secret, until: now() + overlapMs }));
      const secrets = [{ hash, until: null }, ...(overlapMs > 0 ? before : [])];
      const key = { ...known.key, secrets };
      await write(key);
      return { known: { ...known, key }, token: text };
    },
    async revoke(id) {
      const known = await find(id);
      if (known === undefined) return undefined;
      const at = now();
      // Its first end counts.
      await records.addRecord(collections.revoked, id, String(at));
      await touchRevision();
      return { ...known, revokedAt: known.revokedAt ?? at };
    },
    async writeUses(uses) {
      await records.writeRecords(collections.uses, new Map([...uses].map(([id, at]) => [id, String(at)])));
    },
  };
}

function toTime(text: string | undefined): number | null {
  const time = Number(text);
  return text !== undefined && Number.isFinite(time) ? time : null;
}
