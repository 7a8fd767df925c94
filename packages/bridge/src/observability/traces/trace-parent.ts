import { AsyncLocalStorage } from 'node:async_hooks';

/** Where a trace comes from: the span of a caller, as W3C Trace Context has it. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const callers = new AsyncLocalStorage<TraceParent>();

/** Runs what answers a request under the span of its caller, so that jobs made by it are told whose they are. */
export function underParent(header: string | undefined, run: () => void): void {
  const parent = header === undefined ? undefined : parseTraceParent(header);
  if (parent === undefined) run();
  else callers.run(parent, run);
}

/** The span of the caller whose request is being answered. */
export function currentParent(): TraceParent | undefined {
  return callers.getStore();
}

/**
 * A `traceparent` header: version, trace, span and flags, in hex. A later version may have more behind that; `ff` is none, and neither
 * are zeros. https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceParent(header: string): TraceParent | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header.trim());
  const [, version, traceId = '', spanId = '', flags = '', more] = match ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}
