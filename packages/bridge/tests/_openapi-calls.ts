import { expect } from 'vitest';

import { listOperations } from './_openapi-document.ts';
import { expectDocumented, plainDocument } from './_openapi.ts';
import type { TestBridge } from './_start-bridge.ts';

export interface CallOptions {
  path?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Sent as JSON, unless it is a form or bytes. */
  body?: unknown;
}

export interface Calls {
  /** Calls an operation of the document; the answer must have this status and be as the document says. */
  call(operationId: string, status: number, options?: CallOptions): Promise<Response>;
  /** For a call that was made in another way. */
  note(operationId: string, status: number): void;
  /** Operations that were never called with success, or never refused though the document has refusals for the caller. */
  missing(): string[];
}

export function createCalls(t: TestBridge): Calls {
  const operations = listOperations(plainDocument);
  const seen = new Set<string>();

  function note(operationId: string, status: number): void {
    seen.add(`${operationId} ${status < 400 ? 'done' : 'refused'}`);
  }

  return {
    note,
    async call(operationId, status, { path = {}, query, headers = {}, body } = {}) {
      const found = operations.find(({ operation }) => operation.operationId === operationId);
      if (found === undefined) throw new Error(`there is no operation ${operationId}`);
      const filled = found.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(path[name] ?? ''));
      const answer = await t.get(
        `${filled}${query === undefined ? '' : `?${new URLSearchParams(query).toString()}`}`,
        {
          method: found.method.toUpperCase(),
          headers,
          ...(body !== undefined && { body: isBody(body) ? body : JSON.stringify(body) }),
        },
      );
      const text = await answer.clone().text();
      expect(answer.status, `${operationId}: ${answer.headers.get('x-detail')} ${text.slice(0, 500)}`).toBe(
        status,
      );
      await expectDocumented(found.method, filled, answer);
      note(operationId, status);
      return answer;
    },
    missing: () =>
      operations.flatMap(({ operation: { operationId, responses } }) => [
        ...(seen.has(`${operationId} done`) ? [] : [`${operationId} done`]),
        ...(seen.has(`${operationId} refused`) || !hasRefusals(responses) ? [] : [`${operationId} refused`]),
      ]),
  };
}

/** What is broken on purpose goes as it is. */
function encode(value: string): string {
  return value === '%' ? value : encodeURIComponent(value);
}

function isBody(body: unknown): body is FormData | Uint8Array<ArrayBuffer> | string {
  return body instanceof FormData || body instanceof Uint8Array || typeof body === 'string';
}

/** Refusals that a caller can bring about without keys and limits: neither bugs nor bad luck. */
function hasRefusals(responses: object): boolean {
  return Object.keys(responses).some(
    (status) => status.startsWith('4') && status !== '401' && status !== '429',
  );
}
