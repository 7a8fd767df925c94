import { describe, expect, test } from 'vitest';

import { toAlias } from '../src/editor/publish-dialog.ts';
import { publish, toBase } from '../src/editor/publish-request.ts';

const request = {
  address: 'http://bridge.example/studio/',
  token: 't',
  alias: 'my picture',
  workflow: {},
  description: '',
  thumbnail: undefined,
  replace: false,
};

/** A bridge that gives one answer, and what it was asked. */
function answering(status: number, body: unknown) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const fetcher: typeof fetch = async (url, init) => {
    asked.push({ url: String(url), init });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  return { fetcher, asked };
}

describe('publishing', () => {
  test('says what the bridge found', async () => {
    const { fetcher, asked } = answering(201, {
      version: 'abc',
      can_run: false,
      obstacles: 'no ComfyUI has it',
      problems: ['`3/seed` is a link'],
      backends: [
        { backend: 'a', can_run: true, reason: null, lacks: [] },
        { backend: 'b', can_run: false, reason: 'lacks KSampler', lacks: [] },
      ],
    });
    expect(await publish(request, fetcher)).toEqual({
      kind: 'published',
      version: 'abc',
      canRun: false,
      obstacles: ['no ComfyUI has it', 'b: lacks KSampler'],
      problems: ['`3/seed` is a link'],
    });
    expect(asked[0]?.url).toBe('http://bridge.example/studio/api/bridge/workflows/my%20picture');
    expect(new Headers(asked[0]?.init?.headers).get('Authorization')).toBe('Bearer t');
  });

  test.each([
    { replace: false, body: { workflow: {}, previous: null } },
    { replace: true, body: { workflow: {} } },
  ])('replaces another workflow only when told to: $replace', async ({ replace, body }) => {
    const { fetcher, asked } = answering(200, {});
    await publish({ ...request, replace }, fetcher);
    expect(JSON.parse(String(asked[0]?.init?.body))).toEqual(body);
  });

  test.each([
    {
      status: 409,
      body: { error: { code: 'conflict', message: 'x', details: { current: 'v1' } } },
      kind: 'alias-taken',
    },
    { status: 409, body: { error: { code: 'conflict', message: 'x' } }, kind: 'refused' },
    { status: 401, body: { error: { code: 'unauthorized', message: 'x' } }, kind: 'unauthorized' },
    { status: 422, body: { error: { code: 'invalid_workflow', message: 'x' } }, kind: 'refused' },
    { status: 404, body: '<html>', kind: 'not-a-bridge' },
    { status: 200, body: 'ok', kind: 'not-a-bridge' },
    { status: 500, body: [], kind: 'not-a-bridge' },
  ])('takes $status for $kind', async ({ status, body, kind }) => {
    expect(await publish(request, answering(status, body).fetcher)).toHaveProperty('kind', kind);
  });

  test('tells a bridge that does not allow the page from none at all', async () => {
    const blocked: typeof fetch = async (_url, init) => {
      if (init?.mode !== 'no-cors') throw new TypeError('Failed to fetch');
      return new Response();
    };
    const absent: typeof fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    expect(await publish(request, blocked)).toEqual({ kind: 'blocked-by-cors' });
    expect(await publish(request, absent)).toEqual({ kind: 'unreachable' });
  });

  test('does not wait for ever', async () => {
    const slow: typeof fetch = () => Promise.reject(new DOMException('too slow', 'TimeoutError'));
    expect(await publish(request, slow)).toEqual({ kind: 'timed-out' });
  });

  test.each(['', 'bridge:8080', 'ftp://bridge', 'javascript:alert(1)'])(
    'refuses the address %j',
    (address) => {
      expect(toBase(address)).toBeUndefined();
    },
  );
});

describe('the alias that is proposed', () => {
  test.each([
    ['My Picture (2)', 'my-picture-2'],
    ['한국어 그림', '한국어-그림'],
    ['///', ''],
  ])('for %j is %j', (name, alias) => {
    expect(toAlias(name)).toBe(alias);
  });
});
