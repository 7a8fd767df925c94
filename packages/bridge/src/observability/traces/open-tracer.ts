import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { Context, SpanContext, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';

import type { SpanPlan } from './job-spans.ts';
import type { TraceParent } from './trace-parent.ts';

/** What is set of tracing. */
export interface TracerOptions {
  url: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  resourceAttributes: Readonly<Record<string, string>>;
  sampler: string;
  /** From 0 to 1. */
  ratio: number;
  version: string;
  /** Of one batch, tries included: less than what a stop has. */
  exportMs: number;
}

/** What a span is to its trace: what the caller asked for, a part of that, or a call to somebody else. */
export type SpanPlace = 'served' | 'part' | 'call';
const kinds = { served: SpanKind.SERVER, part: SpanKind.INTERNAL, call: SpanKind.CLIENT } as const;

export interface SpanWriter {
  /** Writes a span with all that is below it; where its children may hang that come later. Undefined: it is not sampled. */
  write(plan: SpanPlan, parent: TraceParent | undefined, place: SpanPlace): TraceParent | undefined;
  /** Sends what is left, within so many ms. Never rejects. */
  close(deadlineMs: number): Promise<void>;
}

const queueLimits = { maxQueueSize: 4_096, maxExportBatchSize: 512, scheduledDelayMillis: 2_000 };

/**
 * The SDK of OpenTelemetry, set up by hand: no global provider, no instrumentation, nothing of the environment but what the exporter
 * itself looks up (time-outs, compression, certificates). This module alone imports it, and is imported only where traces are on.
 */
export function openTracer(
  { url, headers, serviceName, resourceAttributes, sampler, ratio, version, exportMs }: TracerOptions,
  onFailure: (error: unknown) => void,
): SpanWriter {
  const exporter = reportFailures(
    new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: exportMs, concurrencyLimit: 4 }),
    onFailure,
  );
  const provider = new TracerProvider({
    sampler: toSampler(sampler, ratio),
    resource: resourceFromAttributes({
      ...resourceAttributes,
      'service.name': serviceName,
      'service.version': version,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...queueLimits, exportTimeoutMillis: exportMs })],
  });
  const tracer = provider.getTracer('comfy-bridge', version);

  return {
    write(plan, parent, place) {
      const context = writeSpan(tracer, plan, toContext(parent), kinds[place]);
      return (context.traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : context;
    },
    async close(deadlineMs) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, deadlineMs);
      // What could not be sent was reported already.
      await Promise.race([provider.shutdown().catch(() => {}), late.promise]);
      clearTimeout(timer);
    },
  };
}

function writeSpan(tracer: Tracer, plan: SpanPlan, parent: Context, kind: SpanKind): SpanContext {
  const { name, start, end, attributes, error, children } = plan;
  const span = tracer.startSpan(name, { startTime: start, attributes, kind }, parent);
  if (span.isRecording()) {
    const below = trace.setSpan(parent, span);
    for (const child of children) writeSpan(tracer, child, below, SpanKind.INTERNAL);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  }
  span.end(Math.max(start, end));
  return span.spanContext();
}

function toContext(parent: TraceParent | undefined): Context {
  return parent === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

function toSampler(name: string, ratio: number): Sampler {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
    default:
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
}

/** Of a batch that was lost the SDK tells nobody. */
function reportFailures(exporter: SpanExporter, onFailure: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) onFailure(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
