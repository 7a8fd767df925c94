import type { Option } from './option.ts';
import { traceOptions } from './trace-options.ts';
import { choice, onOff, secret } from './value-parsers.ts';

/** What operators see of the bridge beside its log. */
export const observabilityOptions = {
  METRICS: {
    section: 'observability',
    description:
      'GET /metrics for Prometheus. on: for operators, and for who sends METRICS_TOKEN. public: for everybody who reaches the port. off: nothing is counted.',
    default: 'on',
    parser: choice('on', 'off', 'public'),
  },
  METRICS_TOKEN: {
    section: 'observability',
    description:
      'Secret that Prometheus sends as "Authorization: Bearer …" (bearer_token_file); it opens GET /metrics and nothing else.',
    default: undefined,
    parser: secret(16),
    secret: true,
  },
  ACCESS_LOG: {
    section: 'observability',
    description: 'on: a log line for each HTTP request, without its query.',
    default: 'off',
    parser: onOff,
  },
  ...traceOptions,
} satisfies Record<string, Option>;
