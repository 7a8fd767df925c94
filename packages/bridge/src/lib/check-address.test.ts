import { expect, test } from 'vitest';

import {
  createAddressExceptions,
  createFleetRules,
  describeNonPublic,
  toLiteralAddress,
} from './check-address.ts';

test.for([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['fc00::1', 'uniqueLocal'],
  ['fd00:ec2::254', 'uniqueLocal'],
  ['169.254.169.254', 'linkLocal'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['100.100.100.200', 'carrierGradeNat'],
  ['168.63.129.16', 'metadata'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['240.0.0.1', 'reserved'],
  ['192.0.0.192', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['100::1', 'discard'],
  ['4000::1', 'reserved'],
  // IPv4 in IPv6: mapped, compatible, translated, 6to4, Teredo, NAT64.
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:168.63.129.16', 'metadata'],
  ['::127.0.0.1', 'loopback'],
  ['::7f00:1', 'reserved'],
  ['::ffff:0:127.0.0.1', 'rfc6145'],
  ['2002:7f00:1::', '6to4'],
  ['2002:808:808::', '6to4'],
  ['2001::1', 'teredo'],
  ['64:ff9b::127.0.0.1', 'loopback'],
  ['64:ff9b::a9fe:a9fe', 'linkLocal'],
  ['64:ff9b:1::808:808', 'rfc6052'],
  ['example.com', 'no IP address'],
  ['', 'no IP address'],
] as const)('%s is not public: %s', ([address, kind]) => {
  expect(describeNonPublic(address)).toBe(kind);
});

test.for([
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '169.253.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
])('%s is public', (address) => {
  expect(describeNonPublic(address)).toBeUndefined();
});

test.for([
  ['http://0x7f.1/', '127.0.0.1'],
  ['http://2130706433/', '127.0.0.1'],
  ['http://0177.0.0.1/', '127.0.0.1'],
  ['http://127.1/', '127.0.0.1'],
  ['http://127.0.0.1./', '127.0.0.1'],
  ['http://%31%32%37.0.0.1/', '127.0.0.1'],
  ['http://①②⑦.⓪.⓪.①/', '127.0.0.1'],
  ['http://[::1]/', '::1'],
  ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
  ['http://[0:0:0:0:0:0:0:1]/', '::1'],
  ['http://localhost/', '127.0.0.1'],
  ['http://LOCALHOST./', '127.0.0.1'],
  ['http://a.localhost/', '127.0.0.1'],
  ['http://example.com/', undefined],
  ['http://localhost.example.com/', undefined],
  ['http://127.0.0.1.nip.io/', undefined],
] as const)('the host of %s is the address %s', ([url, address]) => {
  expect(toLiteralAddress(new URL(url).hostname)).toBe(address);
});

test('a network that is allowed admits its addresses, also wrapped into IPv6, and no others', () => {
  const exceptions = createAddressExceptions(['10.1.0.0/16', 'fd00:1::/32', '192.168.1.7']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd00:1::5', '192.168.1.7'])
    expect(exceptions.findRefusal('hook.example', address)).toBeUndefined();
  for (const address of ['10.2.0.1', 'fd00:2::1', '192.168.1.8', '127.0.0.1'])
    expect(exceptions.findRefusal('hook.example', address)).toBeDefined();
  expect(exceptions.allowsName('hook.example')).toBe(false);
});

test('a name that is allowed may have any address, in any spelling, and its neighbours may not', () => {
  const exceptions = createAddressExceptions(['Hook.Internal']);
  expect(exceptions.findRefusal('hook.internal', '10.0.0.1')).toBeUndefined();
  expect(exceptions.findRefusal('HOOK.internal.', '127.0.0.1')).toBeUndefined();
  expect(exceptions.findRefusal('other.internal', '10.0.0.1')).toBe('private');
  expect(exceptions.findRefusal('hook.internal.evil.example', '10.0.0.1')).toBe('private');
});

test('a star allows everything, and nothing is allowed by default', () => {
  expect(createAddressExceptions(['*']).findRefusal('x', '169.254.169.254')).toBeUndefined();
  expect(createAddressExceptions([]).findRefusal('x', '169.254.169.254')).toBe('linkLocal');
  expect(createAddressExceptions([]).findRefusal('x', '8.8.8.8')).toBeUndefined();
});

test.for([
  ['169.254.169.254', 'linkLocal'],
  ['169.254.0.1', 'linkLocal'],
  ['fe80::1', 'linkLocal'],
  ['fe80::1%eth0', 'linkLocal'],
  ['::ffff:169.254.169.254', 'linkLocal'],
  ['::ffff:a9fe:a9fe', 'linkLocal'],
  ['64:ff9b::a9fe:a9fe', 'linkLocal'],
  ['::a9fe:a9fe', 'reserved'],
  ['2002:a9fe:a9fe::', '6to4'],
  ['fd00:ec2::254', 'metadata'],
  ['fd00:0ec2:0:0::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['::ffff:100.100.100.200', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['0.0.0.0', 'unspecified'],
  ['::', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['gpu.local', 'no IP address'],
] as const)('%s is never a server of the fleet: %s, whatever networks are allowed', ([address, kind]) => {
  expect(createFleetRules().findRefusal('gpu', address)).toBe(kind);
  expect(createFleetRules(['0.0.0.0/0', '::/0']).findRefusal('gpu', address)).toBe(kind);
});

test.for([
  '127.0.0.1',
  '::1',
  '10.0.0.1',
  '192.168.1.20',
  '100.64.0.7',
  'fd00:1::5',
  '8.8.8.8',
  '2606:4700::1',
])('%s may be a server of the fleet', (address) => {
  expect(createFleetRules().findRefusal('gpu', address)).toBeUndefined();
});

test('a fleet that is limited to networks has no other addresses, its own machine included', () => {
  const rules = createFleetRules(['10.1.0.0/16', 'fd00:1::/32', '192.168.1.7']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5', '192.168.1.7'])
    expect(rules.findRefusal('gpu', address)).toBeUndefined();
  for (const address of ['10.2.0.1', '192.168.1.8', '127.0.0.1', '::1', '8.8.8.8'])
    expect(rules.findRefusal('gpu', address)).toBe('outside the networks of the fleet');
});
