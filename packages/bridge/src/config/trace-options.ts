import { accept, refuse } from './option.ts';
import type { Option, Parser } from './option.ts';
import { createSecret } from './secret.ts';
import type { Secret } from './secret.ts';
import { choice, onOff } from './value-parsers.ts';

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
export type TraceSampler = (typeof samplers)[number];

const endpoint: Parser<string> = {
  allowed: 'a URL such as http://127.0.0.1:4318',
  parse(raw) {
    const url = typeof raw === 'string' ? URL.parse(raw.trim()) : null;
    const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
    // A password in a URL would be shown in messages of the exporter.
    return url !== null && isWeb && url.username === '' && url.password === '' ? accept(url.href) : refuse();
  },
};

const fraction: Parser<number> = {
  allowed: 'a number from 0 to 1',
  parse(raw) {
    const value = typeof raw === 'string' && /^(0|1|0?\.\d+|[01]\.\d+)$/.test(raw.trim()) ? Number(raw) : raw;
    return typeof value === 'number' && value >= 0 && value <= 1 ? accept(value) : refuse();
  },
};

const serviceName: Parser<string> = {
  allowed: '1 to 255 characters',
  parse(raw) {
    const text = typeof raw === 'string' ? raw.trim() : '';
    return text.length > 0 && text.length <= 255 ? accept(text) : refuse();
  },
};

const pairsForm = 'key=value pairs with commas between them, values percent-encoded';

const attributes: Parser<ReadonlyMap<string, string>> = {
  allowed: pairsForm,
  parse(raw) {
    const pairs = typeof raw === 'string' ? parsePairs(raw) : undefined;
    return pairs === undefined ? refuse() : accept(pairs);
  },
};

const headers: Parser<Secret> = {
  allowed: pairsForm,
  parse(raw) {
    if (typeof raw !== 'string') return refuse();
    const pairs = parsePairs(raw);
    const isFit = pairs !== undefined && [...pairs].every(([name, value]) => isHeader(name, value));
    return isFit ? accept(createSecret(raw)) : refuse();
  },
};

function isHeader(name: string, value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\u0020-\u007e]*$/.test(value);
}

/** As W3C baggage has them, and `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` with it; undefined: that is none. */
export function parsePairs(text: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>();
  for (const item of text.split(',')) {
    if (item.trim() === '') continue;
    const at = item.indexOf('=');
    if (at < 1) return undefined;
    try {
      pairs.set(decodeURIComponent(item.slice(0, at).trim()), decodeURIComponent(item.slice(at + 1).trim()));
    } catch {
      // No percent-encoding: told as what is allowed instead.
      return undefined;
    }
  }
  return pairs;
}

/** The standard variables of OpenTelemetry, as far as they are of use here. */
export const traceOptions = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    section: 'observability',
    description:
      'Where traces of jobs are sent, as OTLP over HTTP in JSON; /v1/traces is added. Without it, and without the next one, nothing is traced.',
    default: undefined,
    parser: endpoint,
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    section: 'observability',
    description: 'The same as a whole URL, before the one above.',
    default: undefined,
    parser: endpoint,
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    section: 'observability',
    description: 'Headers that are sent with traces, such as a key of the collector.',
    default: undefined,
    parser: headers,
    secret: true,
  },
  OTEL_SERVICE_NAME: {
    section: 'observability',
    description: 'How this bridge is called in traces.',
    default: 'comfy-bridge',
    parser: serviceName,
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    section: 'observability',
    description: 'What else traces say of this bridge, such as deployment.environment.name=production.',
    default: undefined,
    parser: attributes,
  },
  OTEL_TRACES_SAMPLER: {
    section: 'observability',
    description:
      'Which jobs are traced; parentbased_…: as the caller has decided, when it sends traceparent.',
    default: 'parentbased_always_on',
    parser: choice(...samplers),
  },
  OTEL_TRACES_SAMPLER_ARG: {
    section: 'observability',
    description: 'The share of jobs that …traceidratio traces.',
    default: '1',
    parser: fraction,
  },
  OTEL_TRACES_EXPORTER: {
    section: 'observability',
    description: 'none: nothing is traced, whatever else is set.',
    default: 'otlp',
    parser: choice('otlp', 'none'),
  },
  OTEL_SDK_DISABLED: {
    section: 'observability',
    description: 'true: nothing is traced, whatever else is set.',
    default: 'false',
    parser: onOff,
  },
} satisfies Record<string, Option>;
