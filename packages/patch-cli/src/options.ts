import type { ParseArgsConfig } from 'node:util';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const everywhere = { json: flag } as const;
const changes = { ...everywhere, 'dry-run': flag, force: flag } as const;
const installs = {
  ...changes,
  token: text,
  'no-token': flag,
  schedule: text,
  'owner-from': text,
  'example-inputs': flag,
  'base-directory': text,
  'custom-nodes': text,
  port: text,
} as const;
const lends = { ...everywhere, url: text } as const;

/** Every command with the options that it understands; any other is wrong usage. */
export const optionsOf = {
  install: installs,
  upgrade: installs,
  uninstall: { ...changes, port: text },
  status: { ...everywhere, 'show-token': flag },
  doctor: { ...everywhere, port: text },
  pause: { ...lends, minutes: text },
  resume: lends,
  nginx: {
    ...changes,
    'server-name': text,
    listen: text,
    upstream: text,
    'tls-cert': text,
    'tls-key': text,
    'base-path': text,
    'max-body': text,
    out: text,
    check: flag,
  },
} as const satisfies Record<string, ParseArgsConfig['options']>;

export type CommandName = keyof typeof optionsOf;

/** What `parseArgs` gives. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;
