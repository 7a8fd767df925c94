import type { Key } from '@comfy-bridge/protocol';

import { stateOf } from '../../access/api-key.ts';
import type { KnownKey } from '../../access/api-key.ts';

/** A key for operators: everything but its secret, of which nothing is kept. */
export function describeKey(known: KnownKey, now: number): Key {
  const { key, revokedAt, lastUsedAt } = known;
  const { requestsPerMinute, unfinishedJobs, storedBytes, uploadBytes } = key.limits;
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    state: stateOf(known, now),
    created_at: toIso(key.createdAt),
    created_by: key.createdBy,
    expires_at: orNull(key.expiresAt),
    revoked_at: orNull(revokedAt),
    last_used_at: orNull(lastUsedAt),
    workflows: key.workflows === null ? null : [...key.workflows],
    limits: {
      requests_per_minute: requestsPerMinute,
      unfinished_jobs: unfinishedJobs,
      stored_bytes: storedBytes,
      upload_bytes: uploadBytes,
    },
  };
}

function orNull(time: number | null): string | null {
  return time === null ? null : toIso(time);
}

function toIso(time: number): string {
  return new Date(time).toISOString();
}
