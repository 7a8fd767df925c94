import { expect, test } from 'vitest';

import { createAddressExceptions } from '../lib/check-address.ts';
import { parseWebhook } from './webhook-target.ts';

const url = 'https://example.com/hook?key=1';
const rules = { hasDefaultSecret: true, exceptions: createAddressExceptions([]) };

function secretOf(bytes: number): string {
  return `whsec_${Buffer.alloc(bytes, 0xab).toString('base64')}`;
}

function messageOf(value: unknown, given = rules): string {
  const parsed = parseWebhook(value, given);
  return parsed.ok ? 'accepted' : parsed.message;
}

test('a URL alone is told of every end of a job, signed with the secret of the bridge', () => {
  expect(parseWebhook({ url }, rules)).toEqual({
    ok: true,
    webhook: { url, secret: null, events: ['job.succeeded', 'job.failed', 'job.canceled'] },
  });
});

test('what is given is kept, each event once and the URL in its normal form', () => {
  const secret = secretOf(32);
  const given = { url: 'HTTP://Example.com:8080/a/../b', secret, events: ['job.failed', 'job.failed'] };
  expect(parseWebhook(given, { ...rules, hasDefaultSecret: false })).toEqual({
    ok: true,
    webhook: { url: 'http://example.com:8080/b', secret, events: ['job.failed'] },
  });
});

test.for([24, 25, 26, 32, 63, 64])('a secret of %i bytes is accepted', (bytes) => {
  expect(messageOf({ url, secret: secretOf(bytes) })).toBe('accepted');
});

test.for([
  secretOf(23),
  secretOf(65),
  secretOf(66),
  secretOf(32).slice('whsec_'.length),
  secretOf(32).replace('=', ''),
  `${secretOf(24)}\n`,
  secretOf(32).replaceAll('r', '-'),
  'whsec_',
  7,
  null,
])('the secret %j is refused, and how to make one is told', (secret) => {
  expect(messageOf({ url, secret })).toMatch(/^webhook\.secret: must be .*openssl rand -base64 32/);
});

test('without any secret a webhook is refused, and how to give one is told', () => {
  expect(messageOf({ url }, { ...rules, hasDefaultSecret: false })).toMatch(
    /^webhook\.secret: is missing, .*openssl rand/,
  );
});

test.for([
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//example.com/hook',
  'example.com',
  'http://',
  'http://example.com:0/',
  'http://example.com:70000/',
  'http://1.2.3.4.5/',
  '',
  7,
  undefined,
  `https://example.com/${'a'.repeat(2_048)}`,
  // Short as it is written, long as it is sent.
  `https://example.com/${'é'.repeat(500)}`,
])('the URL %j is refused', (value) => {
  expect(messageOf({ url: value })).toMatch(/^webhook\.url: must be an http or https URL/);
});

test('a URL of the greatest length is accepted', () => {
  const longest = `https://example.com/`.padEnd(2_048, 'a');
  expect(messageOf({ url: longest })).toBe('accepted');
});

test.for([
  ['https://user:pw@example.com/', /user name and password/],
  ['https://user@example.com/', /user name and password/],
  ['https://:pw@example.com/', /user name and password/],
  ['https://example.com/#a', /fragment/],
  ['https://example.com/#', /fragment/],
] as const)('%s is refused, and why is told', ([value, message]) => {
  expect(messageOf({ url: value })).toMatch(message);
});

test.for([
  'http://127.0.0.1/',
  'http://0x7f.1/',
  'http://2130706433/',
  'http://0177.0.0.1:8000/',
  'http://127.0.0.1./',
  'http://0/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[64:ff9b::10.0.0.1]/',
  'http://localhost/',
  'http://localhost./',
  'http://bridge.localhost/',
  'http://10.0.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
])('%s is refused at once', (value) => {
  expect(messageOf({ url: value })).toMatch(/public internet.*WEBHOOK_ALLOW/);
});

test('what an operator allows is accepted', () => {
  const exceptions = createAddressExceptions(['127.0.0.0/8', 'localhost']);
  for (const value of ['http://127.0.0.1:8080/', 'http://0x7f.1/', 'http://localhost./'])
    expect(messageOf({ url: value }, { ...rules, exceptions })).toBe('accepted');
  expect(messageOf({ url: 'http://10.0.0.1/' }, { ...rules, exceptions })).toMatch(/WEBHOOK_ALLOW/);
});

test.for([
  [[], /a list of some of/],
  [['job.started'], /a list of some of/],
  ['job.failed', /a list of some of/],
  [['job.failed', 'job.failed', 'job.failed', 'job.failed'], /a list of some of/],
] as const)('the events %j are refused', ([events, message]) => {
  expect(messageOf({ url, events })).toMatch(message);
});

test.for([undefined, null, 'https://example.com/', [], { url, retries: 3 }])('%j is no webhook', (value) => {
  const rule =
    value !== null && typeof value === 'object' && 'retries' in value ? /"retries"/ : /an object such as/;
  expect(messageOf(value)).toMatch(rule);
});
