import { Registry, collectDefaultMetrics } from 'prom-client';

/** Gauges that prom-client names like counters; it calls them deprecated. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

let registry: Registry | undefined;

/**
 * Processor, memory, event loop and garbage collection of this process: one for all bridges in it, made when the first one asks.
 * What it watches with lasts as long as the process.
 */
export function processMetrics(): Registry {
  if (registry !== undefined) return registry;
  registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
}
