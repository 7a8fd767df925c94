import { expect } from 'vitest';

import { parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';

const path = '/api/bridge/backends';

/** As much of the operators' answer as tests look at. */
export interface BackendAnswer {
  name: string;
  status: string;
  [field: string]: unknown;
}

/** The operators' API of the fleet. */
export function fleetApi(t: TestBridge) {
  const send = (method: string, tail: string, body?: unknown) => t.post(`${path}${tail}`, body, { method });
  return {
    send,
    list: () => parseBody<BackendAnswer[]>(t.get(path)),
    get: (name: string) => parseBody<BackendAnswer>(t.get(`${path}/${name}`)),
    /** Must be accepted. */
    async add(backend: Record<string, unknown>): Promise<BackendAnswer> {
      const answer = await send('POST', '', backend);
      const text = await answer.text();
      expect(answer.status, text).toBe(201);
      return JSON.parse(text);
    },
    async change(name: string, change: Record<string, unknown>): Promise<BackendAnswer> {
      const answer = await send('PATCH', `/${name}`, change);
      const text = await answer.text();
      expect(answer.status, text).toBe(200);
      return JSON.parse(text);
    },
    async leave(name: string, query = ''): Promise<BackendAnswer> {
      const answer = await send('DELETE', `/${name}${query}`);
      const text = await answer.text();
      expect(answer.status, text).toBe(202);
      return JSON.parse(text);
    },
  };
}

/** The reason of a refusal by the operators' API; fails unless it has that status and code. */
export async function refusalOf(answer: Response, status: number, code: string): Promise<string> {
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  const { error }: { error: { code: string; message: string } } = JSON.parse(text);
  expect(error.code).toBe(code);
  return error.message;
}
