import type { Role } from '@comfy-bridge/protocol';

import type { KeyLimits } from './api-key.ts';

/** Who a caller has shown to be, where keys are required. */
export interface Identity {
  readonly role: Role;
  /** Whom jobs and files belong to. */
  readonly account: string;
  /** Null for the operator's token. */
  readonly keyId: string | null;
  /** Names it in the audit. */
  readonly actor: string;
  /** Digest of the secret that was shown: it may be replaced while a connection is open. */
  readonly hash: string;
  /** Aliases that it may see and run; null: all. */
  readonly workflows: readonly string[] | null;
  readonly limits: KeyLimits;
}
