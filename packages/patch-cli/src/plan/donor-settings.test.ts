import { expect, test } from 'vitest';

import { isOwnerFrom, isSchedule, isToken, mergeSettings } from './donor-settings.ts';

const none = { token: undefined, noToken: false, schedule: undefined, ownerFrom: undefined };
const merge = (existing: string | undefined, flags: object = {}, make?: () => string) =>
  mergeSettings(existing, '/donor.json', { ...none, ...flags }, make);

test('a machine without a token gets one, unless that is not wanted', () => {
  expect(merge(undefined, {}, () => 'new')).toMatchObject({ token: 'new', text: '{\n  "token": "new"\n}\n' });
  expect(merge(undefined, { noToken: true }, () => 'new')).toMatchObject({ token: undefined, text: '{}\n' });
  expect(merge('{"token":"old"}', {}, () => 'new')).toMatchObject({ token: 'old', text: undefined });
  expect(merge('{"token":"old"}', { noToken: true })).toMatchObject({ token: undefined, text: '{}\n' });
});

test('what an owner wrote stays, in its order and with what is unknown here', () => {
  const { text } = { text: undefined, ...merge('{"z":1,"token":"old","a":[2]}', { ownerFrom: 'none' }) };
  expect(text).toBe('{\n  "z": 1,\n  "token": "old",\n  "a": [\n    2\n  ],\n  "ownerFrom": "none"\n}\n');
});

test.each(['[]', 'null', '"x"', '{', ''])('%j is no settings file', (text) => {
  expect(merge(text)).toMatchObject({ ok: false, refusal: { code: 'bad-settings' } });
});

test.each(['22:00-08:00', 'Mon-Fri 22:00-08:00, Sat-Sun 00:00-24:00', 'sun  1:00-2:00'])(
  '%j is a schedule',
  (text) => {
    expect(isSchedule(text)).toBe(true);
  },
);

test.each([
  '',
  '22-08',
  '24:30-08:00',
  'Mo 22:00-08:00',
  '22:00-08:00,',
  '22:00-08:00;x',
  '24:00-08:00',
  '08:00-08:00',
  '08:60-09:00',
])('%j is none', (text) => {
  expect(isSchedule(text)).toBe(false);
});

test('owners are loopback, none or networks', () => {
  expect(['loopback', 'none', '10.0.0.0/8', '192.168.1.5', 'fd00::/8,10.0.0.0/8'].every(isOwnerFrom)).toBe(
    true,
  );
  expect(['', 'any', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/8/8'].some(isOwnerFrom)).toBe(false);
});

test('a token is long, printable and without spaces', () => {
  expect(isToken('x'.repeat(16)) && isToken('~'.repeat(512))).toBe(true);
  expect(
    ['x'.repeat(15), 'x'.repeat(513), 'x'.repeat(16) + ' ', 'ü'.repeat(16), `${'x'.repeat(16)}\n`].some(
      isToken,
    ),
  ).toBe(false);
});
