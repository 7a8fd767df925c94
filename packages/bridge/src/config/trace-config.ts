import type { OptionValues } from './options.ts';
import { createSecret } from './secret.ts';
import type { Secret } from './secret.ts';
import { parsePairs } from './trace-options.ts';
import type { TraceSampler } from './trace-options.ts';

/** Where traces go, and what they say of this bridge. */
export interface TraceConfig {
  /** Whole, with its path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly serviceName: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: TraceSampler;
  /** Of the jobs, from 0 to 1, for the samplers of a share. */
  readonly ratio: number;
}

/** Undefined where nothing is to be traced: the standard variables say so, or nobody said where to. */
export function toTraceConfig(values: OptionValues): TraceConfig | undefined {
  const url = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? withTracesPath(values.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (url === undefined || values.OTEL_SDK_DISABLED || values.OTEL_TRACES_EXPORTER === 'none')
    return undefined;
  const headers = parsePairs(values.OTEL_EXPORTER_OTLP_HEADERS?.reveal() ?? '') ?? new Map<string, string>();
  return {
    url,
    headers: Object.fromEntries([...headers].map(([name, value]) => [name, createSecret(value)])),
    serviceName: values.OTEL_SERVICE_NAME,
    resourceAttributes: Object.fromEntries(values.OTEL_RESOURCE_ATTRIBUTES ?? []),
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}

function withTracesPath(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  return url.href;
}
