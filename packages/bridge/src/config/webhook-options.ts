import { webhookSecretSchema } from '@comfy-bridge/protocol';

import { isNetwork, toItems } from './network-parsers.ts';
import { accept, refuse } from './option.ts';
import type { Option, Parser } from './option.ts';
import { createSecret } from './secret.ts';
import type { Secret } from './secret.ts';

const webhookSecret: Parser<Secret> = {
  allowed: 'whsec_ and the base64 of 24 to 64 random bytes, as of `openssl rand -base64 32`',
  parse(raw) {
    const parsed = webhookSecretSchema.safeParse(typeof raw === 'string' ? raw.trim() : raw);
    return parsed.success ? accept(createSecret(parsed.data)) : refuse();
  },
};

const webhookAllow: Parser<readonly string[]> = {
  allowed: 'none, *, or a list of host names, addresses, and networks such as 10.0.0.0/8',
  parse(raw) {
    const items = toItems(raw);
    if (items === undefined) return refuse();
    if (items.length === 1 && items[0] === 'none') return accept([]);
    const wrong = items.filter((item) => item !== '*' && !isNetwork(item) && !isHostName(item));
    return wrong.length > 0
      ? refuse(...wrong.map((item) => ({ shown: JSON.stringify(item) })))
      : accept(items);
  },
};

/** Not a number in dots: such a name would be read as an address. */
function isHostName(text: string): boolean {
  const isName = /^(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(text) && text.length <= 253;
  return isName && !/(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(text);
}

/** How the ends of jobs are told to other servers. */
export const webhookOptions = {
  WEBHOOK_SECRET: {
    section: 'jobs',
    description: 'What webhooks are signed with whose callers bring no secret of their own.',
    default: undefined,
    parser: webhookSecret,
    secret: true,
  },
  WEBHOOK_ALLOW: {
    section: 'jobs',
    description:
      'Where webhooks may be sent beside the public internet, as to a server in your own network; * for everywhere.',
    default: 'none',
    parser: webhookAllow,
  },
} satisfies Record<string, Option>;
