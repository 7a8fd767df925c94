import { describe, expect, test } from 'vitest';

import { askLending, describeLending } from '../src/editor/lending-status.ts';
import { en } from '../src/texts/en.ts';

function answering(status: number, body: unknown) {
  const asked: { route: string; init: RequestInit | undefined }[] = [];
  return {
    asked,
    async fetchApi(route: string, init?: RequestInit) {
      // As the editor's, which needs its `this`.
      this.asked.push({ route, init });
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
    },
  };
}

const until = '2030-01-02T13:05:00.000Z';
const paused = { v: 1, state: 'paused', reason: 'command', until };

describe('lending', () => {
  test('is asked for without a body, and told in plain values', async () => {
    const api = answering(200, paused);
    expect(await askLending(api, 'status')).toEqual({
      kind: 'status',
      status: { isPaused: true, reason: 'command', until: new Date(until) },
    });
    expect(api.asked).toMatchObject([{ route: '/comfy-bridge/status' }]);
    expect(api.asked[0]?.init?.method).toBeUndefined();
  });

  test('is paused for some minutes, or until it is resumed', async () => {
    const api = answering(200, paused);
    await askLending(api, 'pause', 15);
    await askLending(api, 'pause');
    expect(api.asked.map(({ route, init }) => [route, init?.method, init?.body])).toEqual([
      ['/comfy-bridge/pause', 'POST', '{"minutes":15}'],
      ['/comfy-bridge/pause', 'POST', '{}'],
    ]);
  });

  test.each([
    { status: 404, body: 'not found', action: 'status', kind: 'absent' },
    { status: 403, body: {}, action: 'status', kind: 'absent' },
    { status: 200, body: { v: 1, lent: false }, action: 'status', kind: 'absent' },
    { status: 403, body: {}, action: 'pause', kind: 'refused' },
    { status: 500, body: {}, action: 'resume', kind: 'failed' },
    { status: 200, body: '<html>', action: 'status', kind: 'failed' },
    { status: 200, body: { v: 2, state: 'available' }, action: 'status', kind: 'failed' },
    { status: 200, body: { v: 1, state: 'odd' }, action: 'status', kind: 'failed' },
    { status: 200, body: { v: 1, state: 'available', until: 'soon' }, action: 'status', kind: 'status' },
  ] as const)('takes $status $body to $action for $kind', async ({ status, body, action, kind }) => {
    expect(await askLending(answering(status, body), action)).toHaveProperty('kind', kind);
  });

  test('that cannot be asked has failed', async () => {
    const fetchApi = () => Promise.reject(new TypeError('Failed to fetch'));
    expect(await askLending({ fetchApi }, 'status')).toEqual({ kind: 'failed' });
  });

  test('is said in words', () => {
    const now = new Date(2030, 0, 2, 8);
    const say = (reason: string | undefined, end?: Date) =>
      describeLending(en, { isPaused: true, reason, until: end }, now);
    expect(describeLending(en, { isPaused: false, reason: undefined, until: undefined })).toBe(en.lentNow);
    expect(say('owner-work')).toBe(en.pausedForWork);
    expect(say('schedule', new Date(2030, 0, 2, 22))).toBe('Paused until 22:00.');
    expect(say('command', new Date(2030, 0, 3, 7, 5))).toBe('Paused until 01-03 07:05.');
    expect([say('schedule'), say('command'), say('new')]).toEqual([
      en.pausedBySchedule,
      en.paused,
      en.paused,
    ]);
  });
});
