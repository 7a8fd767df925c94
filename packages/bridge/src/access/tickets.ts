import { createHash, randomBytes } from 'node:crypto';

import type { Identity } from './identity.ts';

/**
 * Stands for a key where it cannot be sent: browsers open WebSockets and event streams by their URL alone, and a URL is
 * written into logs on its way. So a ticket opens one connection, within a minute, and is worth nothing afterwards.
 */
export interface Tickets {
  /**
   * Undefined when the caller, or all together, have too many open. For nobody in particular, where keys are off, it is not kept: a client that
   * asks for one need not know.
   */
  issue(identity: Identity | undefined): { ticket: string; expiresAt: number } | undefined;
  /** Undefined for an unknown one, one that was used, and one that is too old. */
  redeem(ticket: string): Identity | undefined;
}

interface OpenTicket {
  identity: Identity;
  expiresAt: number;
}

const lifeMs = 60_000;

export function createTickets(
  { now }: { now: () => number },
  { maxPerAccount = 1_000, maxTickets = 100_000 }: { maxPerAccount?: number; maxTickets?: number } = {},
): Tickets {
  /** By the digest of each, oldest first. */
  const open = new Map<string, OpenTicket>();
  const counts = new Map<string, number>();

  function drop(digest: string): OpenTicket | undefined {
    const found = open.get(digest);
    if (found === undefined) return undefined;
    open.delete(digest);
    const { account } = found.identity;
    const left = (counts.get(account) ?? 1) - 1;
    if (left > 0) counts.set(account, left);
    else counts.delete(account);
    return found;
  }

  function dropOld(): void {
    for (const [digest, { expiresAt }] of open) {
      if (expiresAt > now()) return;
      drop(digest);
    }
  }

  return {
    issue(identity) {
      dropOld();
      const ticket = `cbt_${randomBytes(32).toString('base64url')}`;
      const expiresAt = now() + lifeMs;
      if (identity === undefined) return { ticket, expiresAt };
      const own = counts.get(identity.account) ?? 0;
      if (own >= maxPerAccount || open.size >= maxTickets) return undefined;
      counts.set(identity.account, own + 1);
      open.set(digestOf(ticket), { identity, expiresAt });
      return { ticket, expiresAt };
    },
    redeem(ticket) {
      const found = drop(digestOf(ticket));
      return found !== undefined && found.expiresAt > now() ? found.identity : undefined;
    },
  };
}

function digestOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
