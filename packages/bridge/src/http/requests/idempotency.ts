import { createHash } from 'node:crypto';

import type { Request } from 'express';
import { z } from 'zod';

import { BridgeError } from '../../errors.ts';
import type { JobStore } from '../../jobs/job-store.ts';
import { accountOf } from './owner-of.ts';

export interface Claim {
  /** The request has failed for certain: its key may be used again. */
  release(): Promise<void>;
}

/**
 * What became of requests with an `Idempotency-Key`, kept for 24 hours and over restarts. Keys belong to the account that sent
 * them and to one kind of request.
 */
export interface Idempotency {
  /**
   * As Comfy API v2 has it: a key is used once, and any later request with it is refused (`idempotency_key_reuse`). Undefined
   * without a key.
   */
  claim(request: Request, scope: string): Promise<Claim | undefined>;
  /**
   * Runs once for a key: who comes again with the same body gets the id that the first one got. Another body is refused, and so
   * is a repeat while the first is still under way (`conflict`). What a killed process had not made is made by the repeat.
   */
  once(
    request: Request,
    scope: string,
    body: string,
    work: OnceOnly,
  ): Promise<{ id: string; replayed: boolean }>;
}

export interface OnceOnly {
  /** Resolves with the id of what it made. `plan` is told an id before that is stored, so that it is found after a kill. */
  run(plan: (id: string) => Promise<void>): Promise<string>;
  /** Whether there is something of this id. */
  isMade(id: string): Promise<boolean>;
}

type Records = Pick<JobStore, 'readRecord' | 'addRecord' | 'writeRecords' | 'removeRecords' | 'dropRecords'>;

const entrySchema = z.object({
  at: z.number(),
  body: z.string().optional(),
  planned: z.string().optional(),
  id: z.string().optional(),
});
type Entry = z.infer<typeof entrySchema>;

const dayMs = 24 * 60 * 60 * 1000;
/** Days back for which forgotten keys are looked for at the start. */
const forgottenDays = 60;

/** Keys lie in one collection a day, so that old ones go all at once. */
export function createIdempotency({ records, now }: { records: Records; now: () => number }): Idempotency {
  let sweptDay: number | undefined;
  /** Keys whose requests this process is working on. */
  const underWay = new Set<string>();

  const today = () => Math.floor(now() / dayMs);
  const collectionOf = (day: number) => `idempotency-keys-${day}`;

  async function sweep(): Promise<void> {
    const day = today();
    if (sweptDay === day) return;
    const days = sweptDay === undefined ? forgottenDays : day - sweptDay;
    sweptDay = day;
    for (let back = 2; back < 2 + Math.min(days, forgottenDays); back += 1)
      await records.dropRecords(collectionOf(day - back));
  }

  async function read(collection: string, key: string): Promise<Entry | undefined> {
    const text = await records.readRecord(collection, key);
    const entry = text === undefined ? undefined : entrySchema.parse(JSON.parse(text));
    return entry !== undefined && now() - entry.at < dayMs ? entry : undefined;
  }

  /** The entry of who was first, or the place of the new one. */
  async function enter(key: string, entry: Entry): Promise<{ first: Entry } | { collection: string }> {
    await sweep();
    const yesterday = await read(collectionOf(today() - 1), key);
    if (yesterday !== undefined) return { first: yesterday };
    const collection = collectionOf(today());
    if (await records.addRecord(collection, key, JSON.stringify(entry))) return { collection };
    return { first: (await read(collection, key)) ?? entry };
  }

  return {
    async claim(request, scope) {
      const key = readKey(request, scope);
      if (key === undefined) return undefined;
      const entered = await enter(key, { at: now() });
      if ('first' in entered) throw reused();
      return { release: () => records.removeRecords(entered.collection, [key]) };
    },
    async once(request, scope, body, work) {
      const key = readKey(request, scope);
      if (key === undefined) return { id: await work.run(async () => {}), replayed: false };
      // Before anything is awaited: of two at the same time, one is told that the other is under way.
      if (underWay.has(key)) throw stillUnderWay();
      underWay.add(key);
      try {
        return await enterOnce(key, { at: now(), body: digest(body) }, work);
      } finally {
        underWay.delete(key);
      }
    },
  };

  async function enterOnce(key: string, entry: Entry, work: OnceOnly) {
    const entered = await enter(key, entry);
    if ('collection' in entered)
      return { id: await run(entered.collection, key, entry, work), replayed: false };
    const { first } = entered;
    if (first.body !== entry.body) throw reused();
    if (first.id !== undefined) return { id: first.id, replayed: true };
    // A process was killed in the middle of it.
    const collection = collectionOf(Math.floor(first.at / dayMs));
    if (first.planned === undefined || !(await work.isMade(first.planned)))
      return { id: await run(collection, key, first, work), replayed: false };
    await write(collection, key, { ...first, id: first.planned });
    return { id: first.planned, replayed: true };
  }

  async function run(collection: string, key: string, entry: Entry, work: OnceOnly): Promise<string> {
    const claim = { release: () => records.removeRecords(collection, [key]) };
    const id = await releasing(claim, () =>
      work.run((planned) => write(collection, key, { ...entry, planned })),
    );
    await write(collection, key, { ...entry, id });
    return id;
  }

  async function write(collection: string, key: string, entry: Entry): Promise<void> {
    await records.writeRecords(collection, new Map([[key, JSON.stringify(entry)]]));
  }
}

/** A key stays used where it is not known what became of the request. */
export async function releasing<T>(claim: Claim | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BridgeError && error.code !== 'internal') await claim?.release();
    throw error;
  }
}

function readKey(request: Request, scope: string): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new BridgeError(
      'bad_request',
      'Idempotency-Key is 1 to 255 visible ASCII characters, such as a UUID',
    );
  }
  return digest(JSON.stringify([accountOf(request), scope, key]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function stillUnderWay(): BridgeError {
  return new BridgeError('conflict', 'a request with this Idempotency-Key is still under way: wait for it');
}

function reused(): BridgeError {
  return new BridgeError(
    'idempotency_key_reuse',
    'this Idempotency-Key was used before: look for the job that the first request made, or send a new key for new work',
  );
}
