import { createdKeySchema } from '@comfy-bridge/protocol';
import type { CreatedKey } from '@comfy-bridge/protocol';
import { expect } from 'vitest';

import { accessSettings, operatorToken } from './_access.ts';
import { startBridge } from './_start-bridge.ts';
import type { StartOptions, TestBridge } from './_start-bridge.ts';

export { operatorToken };
export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const free = { mode: 'free', runMs: 0 } as const;

export interface Clock {
  now: () => number;
  /** Ms. */
  advance(ms: number): void;
}

export function createClock(): Clock {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    advance(ms) {
      offset += ms;
    },
  };
}

/** A bridge that asks for keys. */
export function startKeyed({ env, ...options }: StartOptions = {}): Promise<TestBridge> {
  return startBridge({
    sim: free,
    ...options,
    env: { ...accessSettings('keys on'), ...env },
  });
}

/** A key made over HTTP by the operator. */
export async function createKey(t: TestBridge, wanted: Record<string, unknown> = {}): Promise<CreatedKey> {
  const answer = await t.post(
    '/api/bridge/keys',
    { name: 'test', ...wanted },
    { headers: bearer(operatorToken) },
  );
  const text = await answer.text();
  expect(answer.status, text).toBe(201);
  return createdKeySchema.parse(JSON.parse(text));
}

export async function revokeKey(t: TestBridge, id: string): Promise<void> {
  const answer = await t.get(`/api/bridge/keys/${id}`, { method: 'DELETE', headers: bearer(operatorToken) });
  expect(answer.status, await answer.text()).toBe(200);
}
