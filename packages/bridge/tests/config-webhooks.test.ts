import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

function parse(env: Record<string, string>) {
  return parseConfig({ env, cwd: '/srv/bridge' });
}

test('webhooks go to the public internet only and have no secret, unless an operator says so', () => {
  const parsed = parse({});
  expect(parsed.ok && parsed.config.webhooks).toEqual({ secret: undefined, allow: [] });
});

test('the secret of webhooks is read and shown nowhere', () => {
  const parsed = parse({ WEBHOOK_SECRET: ` ${secret} ` });
  expect(parsed.ok && parsed.config.webhooks.secret?.reveal()).toBe(secret);
  expect(JSON.stringify(parsed)).not.toContain(secret);
});

test.for(['hidden-secret', secret.slice(6), 'whsec_aGlkZGVu', secret.replace('=', '')])(
  'the secret %j is refused without being shown',
  (value) => {
    expect(parse({ WEBHOOK_SECRET: value })).toMatchObject({
      ok: false,
      problems: [
        'environment: WEBHOOK_SECRET is "***", allowed: whsec_ and the base64 of 24 to 64 random bytes, as of `openssl rand -base64 32`',
      ],
    });
  },
);

test.for([
  ['none', []],
  ['*', ['*']],
  ['hook.internal, 10.0.0.0/8 fd00::/8,127.0.0.1', ['hook.internal', '10.0.0.0/8', 'fd00::/8', '127.0.0.1']],
  ['localhost', ['localhost']],
] as const)('WEBHOOK_ALLOW=%s is accepted', ([value, allow]) => {
  const parsed = parse({ WEBHOOK_ALLOW: value });
  expect(parsed.ok && parsed.config.webhooks.allow).toEqual(allow);
});

test.for([
  'http://hook.internal/',
  'hook:8080',
  '10.0.0.0/33',
  '*.internal',
  '10.0.0',
  '0x7f.1',
  'a..b',
  '-a',
])('WEBHOOK_ALLOW=%s is refused', (value) => {
  expect(parse({ WEBHOOK_ALLOW: `hook.internal,${value}` })).toMatchObject({
    ok: false,
    problems: [
      `environment: WEBHOOK_ALLOW is "${value}", allowed: none, *, or a list of host names, addresses, and networks such as 10.0.0.0/8`,
    ],
  });
});
