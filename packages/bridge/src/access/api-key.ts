import { roleSchema } from '@comfy-bridge/protocol';
import type { KeyState, Role } from '@comfy-bridge/protocol';
import { z } from 'zod';

/** What one key may use up; null: as everybody. */
export interface KeyLimits {
  readonly requestsPerMinute: number | null;
  readonly unfinishedJobs: number | null;
  /** Of its uploads together. */
  readonly storedBytes: number | null;
  /** Of one uploaded file. */
  readonly uploadBytes: number | null;
}

/** A key as it is kept: its secret only as a digest. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The newest first; one that was replaced is good until its time, ms since the epoch. */
  readonly secrets: readonly { readonly hash: string; readonly until: number | null }[];
  /** ms since the epoch */
  readonly createdAt: number;
  /** Who made it: an actor of the audit. */
  readonly createdBy: string;
  readonly expiresAt: number | null;
  /** Aliases that it may see and run, with `*` for any text; null: all. */
  readonly workflows: readonly string[] | null;
  readonly limits: KeyLimits;
}

/** A key with what happened to it. */
export interface KnownKey {
  readonly key: ApiKey;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

export const noLimits: KeyLimits = {
  requestsPerMinute: null,
  unfinishedJobs: null,
  storedBytes: null,
  uploadBytes: null,
};

const limit = z.number().nullable();
const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  secrets: z.array(z.object({ hash: z.string(), until: z.number().nullable() })).min(1),
  createdAt: z.number(),
  createdBy: z.string(),
  expiresAt: z.number().nullable(),
  workflows: z.array(z.string()).nullable(),
  limits: z.object({
    requestsPerMinute: limit,
    unfinishedJobs: limit,
    storedBytes: limit,
    uploadBytes: limit,
  }),
});

/** Undefined for what no version of ours has written. */
export function parseApiKey(text: string): ApiKey | undefined {
  try {
    return keySchema.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON.
    return undefined;
  }
}

export function stateOf({ key, revokedAt }: KnownKey, now: number): KeyState {
  if (revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active';
}

/** The key of an account; '' when it is no key's. */
export function toKeyId(account: string): string {
  return account.startsWith('key:') ? account.slice('key:'.length) : '';
}

/** Whom jobs and files of a key belong to: it stays the same when its secret is replaced. */
export function accountOfKey(id: string): string {
  return `key:${id}`;
}
