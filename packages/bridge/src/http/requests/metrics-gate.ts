import { createHash, timingSafeEqual } from 'node:crypto';

import type { Request, RequestHandler } from 'express';

import { readSecret } from './owner-of.ts';

/** Who may read the metrics beside operators. */
export interface MetricsGate {
  /** Whether this caller may, without being anybody. */
  opens(request: Request): boolean;
  /** Whether it has shown the token that is for metrics alone. */
  hasToken(request: Request): boolean;
}

export const metricsPath = '/metrics';

export function createMetricsGate({
  isPublic,
  token,
}: {
  isPublic: boolean;
  token: string | undefined;
}): MetricsGate {
  const wanted = token === undefined ? undefined : digest(token);
  function hasToken({ headers }: Request): boolean {
    const given = wanted === undefined ? undefined : readSecret(headers);
    return wanted !== undefined && given !== undefined && timingSafeEqual(digest(given), wanted);
  }
  return { opens: (request) => isPublic || hasToken(request), hasToken };
}

/** Lets in who comes through the gate, and asks everybody else what operators are asked. */
export function guardMetrics(gate: MetricsGate, requireOperator: RequestHandler): RequestHandler {
  return (request, response, next) =>
    gate.opens(request) ? next() : requireOperator(request, response, next);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
