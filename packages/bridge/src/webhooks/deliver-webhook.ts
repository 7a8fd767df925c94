import { Webhook as Signer } from 'standardwebhooks';
import { Client } from 'undici';
import type { Dispatcher } from 'undici';

import type { AddressExceptions } from '../lib/check-address.ts';
import { RefusedAddressError } from '../lib/checked-lookup.ts';
import { createCheckedConnector } from './checked-connector.ts';
import type { ResolveHost } from '../lib/resolve-host.ts';

/** One try to tell an endpoint of an event. */
export interface Delivery {
  url: string;
  /** Null: the bridge's own. */
  secret: string | null;
  /** The same for all tries of one event. */
  eventId: string;
  /** JSON; signed and sent as it is. */
  body: string;
}

/** `reason` is for the log; it holds nothing of the endpoint but its status. */
export type DeliveryOutcome =
  | { kind: 'delivered' }
  /** 410: the endpoint wants no more. */
  | { kind: 'gone' }
  /** `retryAfterMs`: what the endpoint asked for with 429 or 503. */
  | { kind: 'failed'; reason: string; retryAfterMs: number | undefined };

/** Never rejects. Aborting the signal ends it as failed. */
export type DeliverWebhook = (delivery: Delivery, signal: AbortSignal) => Promise<DeliveryOutcome>;

export interface DeliveryDeps {
  defaultSecret: string | undefined;
  exceptions: AddressExceptions;
  /** `name/version` */
  userAgent: string;
  now: () => number;
  resolveHost?: ResolveHost;
}

export interface DeliveryOptions {
  /** For a whole try; default 15 s. */
  deadlineMs?: number;
  /** Read of an answer, which means nothing; default 64 KB. */
  maxAnswerBytes?: number;
}

/**
 * Delivers as Standard Webhooks wants it (standardwebhooks.com): a POST with `webhook-id`, `webhook-timestamp` and
 * `webhook-signature`. Every 2xx is a success; a redirect is not followed, since it could lead anywhere.
 */
export function createWebhookDelivery(deps: DeliveryDeps, options: DeliveryOptions = {}): DeliverWebhook {
  const { defaultSecret, exceptions, userAgent, now, resolveHost } = deps;
  const { deadlineMs = 15_000, maxAnswerBytes = 64 * 1024 } = options;

  function toHeaders({ secret, eventId, body }: Delivery): Record<string, string> | undefined {
    const key = secret ?? defaultSecret;
    if (key === undefined) return undefined;
    const sentAt = new Date(now());
    return {
      'content-type': 'application/json',
      'user-agent': userAgent,
      'webhook-id': eventId,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'webhook-signature': new Signer(key).sign(eventId, sentAt, body),
    };
  }

  return async (delivery, signal) => {
    const headers = toHeaders(delivery);
    if (headers === undefined) return failed('no secret to sign with');
    const { origin, pathname, search } = new URL(delivery.url);
    const deadline = AbortSignal.timeout(deadlineMs);
    const either = AbortSignal.any([signal, deadline]);
    const connect = createCheckedConnector(exceptions, { signal: either, resolveHost });
    // One connection for one try: tries are rare, and none may reuse what was checked long ago.
    const client = new Client(origin, { connect, headersTimeout: 0, bodyTimeout: 0 });
    const call = { method: 'POST', path: pathname + search, headers, body: delivery.body } as const;
    try {
      const answer = await client.request({ ...call, signal: either, reset: true });
      // The status has said all, whatever becomes of the rest.
      await readSome(answer.body, maxAnswerBytes).catch(() => {});
      return toOutcome(answer, now());
    } catch (error) {
      return failed(deadline.aborted ? 'no answer in time' : toReason(error));
    } finally {
      await client.destroy();
    }
  };
}

/** Lets the endpoint finish its answer, unless it is a long one: leaving the loop ends the connection. */
async function readSome(body: AsyncIterable<Buffer>, maxBytes: number): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) return;
  }
}

function toOutcome({ statusCode, headers }: Dispatcher.ResponseData, now: number): DeliveryOutcome {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
  if (statusCode === 410) return { kind: 'gone' };
  const mayWait = statusCode === 429 || statusCode === 503;
  return failed(`answered ${statusCode}`, mayWait ? parseRetryAfter(headers['retry-after'], now) : undefined);
}

/** Seconds, or a date (RFC 9110, 10.2.3); in ms. Undefined when it is neither. */
export function parseRetryAfter(value: string | string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

function failed(reason: string, retryAfterMs?: number): DeliveryOutcome {
  return { kind: 'failed', reason, retryAfterMs };
}

/** Codes only: the texts of network errors hold addresses. */
function toReason(error: unknown): string {
  if (error instanceof RefusedAddressError) return `refused address: ${error.kind}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'the connection failed';
}
