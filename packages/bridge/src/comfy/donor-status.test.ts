import { expect, test } from 'vitest';

import { parseDonorRefusal, parseDonorStatus } from './donor-status.ts';
import { parseComfyMessage } from './parse-comfy-message.ts';

const until = '2031-05-04T06:00:00.000Z';

test('a machine that is lent says whether, why not, until when, and how much it takes', () => {
  const told = {
    v: 1,
    version: '0.1.0',
    state: 'paused',
    reason: 'schedule',
    until,
    maxQueue: 8,
    lockedDown: true,
  };
  const status = { state: 'paused', reason: 'schedule', until: Date.parse(until), maxQueue: 8 };
  expect(parseDonorStatus(told)).toEqual(status);
  const event = JSON.stringify({ type: 'comfy_bridge_status', data: told });
  expect(parseComfyMessage(event)).toEqual({ type: 'donor-status', status });
});

test.each([
  ['a later reason', { reason: 'holidays' }],
  ['times that are none', { until: 'soon' }],
  ['a number for a time', { until: 1_900_000_000 }],
  ['no room at all', { maxQueue: 0 }],
  ['another type', { maxQueue: '8', reason: 5 }],
  ['nothing more', {}],
])('%s: the rest of it counts', (_what, fields) => {
  const expected = { state: 'available', reason: null, until: null, maxQueue: null };
  expect(parseDonorStatus({ state: 'available', ...fields })).toEqual(expected);
});

test.each([undefined, null, 'paused', [], {}, { state: 'asleep' }, { state: null }])('%j is none', (json) => {
  expect(parseDonorStatus(json)).toBeUndefined();
});

test('an event without a state is passed over', () => {
  expect(parseComfyMessage('{"type": "comfy_bridge_status"}')).toMatchObject({ type: 'malformed' });
});

test('a prompt is refused because its owner paused it, or because it holds enough of them', () => {
  const paused = { error: { type: 'donor_paused', extra_info: { reason: 'command', until: null } } };
  expect(parseDonorRefusal(503, paused)).toEqual({
    kind: 'paused',
    status: { state: 'paused', reason: 'command', until: null, maxQueue: null },
  });
  expect(parseDonorRefusal(429, { error: { type: 'donor_queue_full' } })).toEqual({ kind: 'full' });
});

test.each([
  [503, { error: { type: 'donor_queue_full' } }],
  [429, { error: { type: 'donor_paused' } }],
  [500, { error: { type: 'donor_paused' } }],
  [503, { error: 'donor_paused' }],
  [503, undefined],
])('%d %j is some other trouble', (status, json) => {
  expect(parseDonorRefusal(status, json)).toBeUndefined();
});
