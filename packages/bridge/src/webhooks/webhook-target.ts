import {
  maxWebhookUrlLength,
  webhookEventTypes,
  webhookRequestSchema,
  webhookRules,
} from '@comfy-bridge/protocol';
import type { WebhookEventType } from '@comfy-bridge/protocol';

import type { AddressExceptions } from '../lib/check-address.ts';
import { toLiteralAddress } from '../lib/check-address.ts';

/** Where one job's end is told. */
export interface Webhook {
  /** In its normal form. */
  readonly url: string;
  /** `whsec_…`; null: the bridge's own, which is never written down. */
  readonly secret: string | null;
  readonly events: readonly WebhookEventType[];
}

export type ParsedWebhook = { ok: true; webhook: Webhook } | { ok: false; message: string };

export interface WebhookConditions {
  /** Whether the bridge has a secret of its own for those who bring none. */
  hasDefaultSecret: boolean;
  exceptions: AddressExceptions;
}

/** Checks the `webhook` of a request. A name is not resolved here: its addresses are checked at every connection. Pure. */
export function parseWebhook(
  value: unknown,
  { hasDefaultSecret, exceptions }: WebhookConditions,
): ParsedWebhook {
  const parsed = webhookRequestSchema.safeParse(value);
  if (!parsed.success) {
    const { path = [], message = webhookRules.webhook } = parsed.error.issues[0] ?? {};
    return refuse(path.slice(0, 1).map(String), message);
  }
  const { url: text, secret = null, events = webhookEventTypes } = parsed.data;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return refuse(['url'], webhookRules.url);
  if (url.href.length > maxWebhookUrlLength || url.port === '0') return refuse(['url'], webhookRules.url);
  if (url.username !== '' || url.password !== '') {
    return refuse(['url'], 'must hold no user name and password: the signature tells who sends');
  }
  // An empty fragment is not seen in `url.hash`.
  if (text.includes('#')) return refuse(['url'], 'must hold no fragment ("#…"): it is never sent');
  const address = toLiteralAddress(url.hostname);
  if (address !== undefined && exceptions.findRefusal(url.hostname, address) !== undefined) {
    const rule = 'must lead to the public internet; an operator can allow other addresses with WEBHOOK_ALLOW';
    return refuse(['url'], rule);
  }
  if (secret === null && !hasDefaultSecret) {
    return refuse(['secret'], `is missing, and this bridge has none of its own: it ${webhookRules.secret}`);
  }
  return { ok: true, webhook: { url: url.href, secret, events: [...new Set(events)] } };
}

/** Written as the refusals of all request bodies are: `webhook.url: must …`. */
function refuse(path: readonly string[], rule: string): ParsedWebhook {
  return { ok: false, message: `${['webhook', ...path].join('.')}: ${rule}` };
}
