import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

import { errorTable } from '../../errors.ts';

/** An HTTP request that was answered, in closed sets alone. */
export interface CountedRequest {
  method: string;
  /** The pattern of its route; `other` where there is none. */
  route: string;
  status: number;
  ms: number;
}

export interface HttpMetrics {
  request(counted: CountedRequest): void;
  /** By the code of the error table. */
  refusal(code: string): void;
  /** More requests a minute than the caller may make. */
  rateLimited(): void;
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function countHttp(registers: Registry[]): HttpMetrics {
  const requests = new Counter({
    name: 'comfy_bridge_http_requests_total',
    help: 'HTTP requests that were answered, by route, method and class of status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'comfy_bridge_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer; event streams and waiting calls take as long as they are open.',
    labelNames: ['method', 'route'],
    buckets,
    registers,
  });
  const refusals = new Counter({
    name: 'comfy_bridge_http_refusals_total',
    help: 'Requests that were refused, by error code.',
    labelNames: ['code'],
    registers,
  });
  // From the start on, or the first of each kind would be no increase.
  for (const code of Object.keys(errorTable)) refusals.inc({ code }, 0);
  const limited = new Counter({
    name: 'comfy_bridge_http_rate_limited_total',
    help: 'Requests that were refused because their caller makes too many a minute.',
    registers,
  });
  return {
    request({ method: given, route, status, ms }) {
      const method = methods.has(given) ? given : 'other';
      requests.inc({ method, route, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ method, route }, ms / 1_000);
    },
    refusal: (code) => refusals.inc({ code }),
    rateLimited: () => limited.inc(),
  };
}
