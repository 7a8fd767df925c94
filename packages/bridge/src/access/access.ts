import { createHash, timingSafeEqual } from 'node:crypto';

import { BridgeError } from '../errors.ts';
import { toAddressGroup } from '../lib/address-group.ts';
import type { Logger } from '../logging.ts';
import { accountOfKey, noLimits, toKeyId } from './api-key.ts';
import type { ApiKey, KeyLimits } from './api-key.ts';
import type { Identity } from './identity.ts';
import type { KeyRecords } from './key-book.ts';
import { createAudit } from './audit.ts';
import type { Audit } from './audit.ts';
import { createKeyRegistry } from './key-registry.ts';
import type { KeyRegistry } from './key-registry.ts';
import { createTokenBuckets } from './token-bucket.ts';
import { createTickets } from './tickets.ts';
import type { Tickets } from './tickets.ts';

/** What a caller has sent to show who it is. */
export interface Credentials {
  /** Of `Authorization: Bearer …` or `X-API-Key`. */
  secret: string | undefined;
  /** Of the URL, where one is taken. */
  ticket: string | undefined;
  /** Where it comes from. */
  address: string;
}

/** Who may come in. */
export interface Access extends AsyncDisposable {
  /** False: as the original, anybody who reaches the port. */
  readonly required: boolean;
  readonly keys: KeyRegistry;
  readonly tickets: Tickets;
  readonly audit: Audit;
  /** Throws `unauthorized`, saying what to do; `limited` to an address that is wrong too often. */
  authenticate(credentials: Credentials): Identity;
  /** Whether what this caller has shown is still good. */
  isGood(identity: Identity): boolean;
  /** Whether everything is open to this account: with keys, to an operator's. */
  seesAll(account: string): boolean;
  /** What an account may use up: of a key its own limits, before those of everybody. */
  limitsOf(account: string): KeyLimits;
}

export interface AccessOptions {
  required: boolean;
  /** Wrong secrets a minute from one address. */
  maxAttempts: number;
  operatorToken: string | undefined;
}

const howTo = 'send a key as Authorization: Bearer <key> or X-API-Key: <key>';

const refusals = {
  unknown: `this key is not known here: ${howTo}`,
  mistyped: 'this is no whole key: it was cut or mistyped',
  expired: 'this key has expired: ask the operator of this bridge for a new one',
  revoked: 'this key was revoked: ask the operator of this bridge for a new one',
} as const;

export async function createAccess(
  deps: { records: KeyRecords; now: () => number; log: Logger },
  { required, operatorToken, maxAttempts }: AccessOptions,
): Promise<Access> {
  const keys = await createKeyRegistry(deps);
  const tickets = createTickets(deps);
  const audit = createAudit(deps);
  const attempts = createTokenBuckets({ now: deps.now, windowMs: 60_000 });
  const operator = operatorToken === undefined ? undefined : toOperator(operatorToken);

  function isGood({ keyId, hash }: Identity): boolean {
    return keyId === null || keys.isGood(keyId, hash);
  }

  /** What a key may can have changed since its ticket was issued. */
  function refresh(identity: Identity | undefined): Identity | undefined {
    if (identity === undefined || !isGood(identity)) return undefined;
    const known = identity.keyId === null ? undefined : keys.get(identity.keyId);
    return known === undefined ? identity : toIdentity(known.key, identity.hash);
  }

  function tooMany(seconds: number): BridgeError {
    return new BridgeError('limited', 'too many wrong keys came from your address: try again later', {
      retryAfter: seconds,
    });
  }

  /** A key cannot be guessed, but an operator's token may be short: of who guesses, no further one is looked at. */
  function authenticateBySecret(secret: string, address: string): Identity {
    const left = attempts.look(address, maxAttempts);
    if (!left.ok && !secret.startsWith('cbk_')) throw tooMany(left.resetSeconds);
    if (operator !== undefined && equal(operator.hash, digest(secret))) return operator;
    const found = keys.find(secret);
    if (found.ok) return toIdentity(found.key, found.hash);
    // Who has the right secret of a key that is over has not guessed it.
    if (found.reason === 'unknown' || found.reason === 'mistyped') {
      const { ok, resetSeconds } = attempts.take(address, maxAttempts);
      if (!ok) throw tooMany(resetSeconds);
    }
    throw new BridgeError('unauthorized', refusals[found.reason]);
  }

  function seesAll(account: string): boolean {
    if (!required) return false;
    if (account === operator?.account) return true;
    return keys.get(toKeyId(account))?.key.role === 'operator';
  }

  return {
    required,
    keys,
    tickets,
    audit,
    authenticate({ secret, ticket, address }) {
      if (secret !== undefined) return authenticateBySecret(secret, toAddressGroup(address));
      if (ticket === undefined) throw new BridgeError('unauthorized', `this needs a key: ${howTo}`);
      const identity = refresh(tickets.redeem(ticket));
      if (identity === undefined) {
        throw new BridgeError(
          'unauthorized',
          'this ticket was used, is too old, or not known here: get a new one from POST /api/bridge/tickets',
        );
      }
      return identity;
    },
    isGood,
    seesAll,
    limitsOf: (account) => keys.get(toKeyId(account))?.key.limits ?? noLimits,
    async [Symbol.asyncDispose]() {
      await keys[Symbol.asyncDispose]();
      await audit[Symbol.asyncDispose]();
    },
  };
}

function toIdentity(key: ApiKey, hash: string): Identity {
  const { id, name, role, workflows, limits } = key;
  return {
    ...{ role, hash, workflows, limits },
    account: accountOfKey(id),
    keyId: id,
    actor: `key ${id} (${name})`,
  };
}

/** The token is an operator's like any key; what it did while keys were off stays its own. */
function toOperator(token: string): Identity {
  return {
    role: 'operator',
    account: createHash('sha256').update(`secret ${token}`).digest('base64url').slice(0, 16),
    keyId: null,
    actor: 'OPERATOR_TOKEN',
    hash: digest(token),
    workflows: null,
    limits: noLimits,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
