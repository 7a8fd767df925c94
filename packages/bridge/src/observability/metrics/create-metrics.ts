import { Registry } from 'prom-client';

import type { Events } from '../../events.ts';
import type { LabelOf } from '../workflow-labels.ts';
import { countAttempts } from './attempt-metrics.ts';
import { showBackends } from './backend-metrics.ts';
import type { BackendMetricsDeps } from './backend-metrics.ts';
import { countHttp } from './http-metrics.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { countJobs } from './job-metrics.ts';
import type { JobMetricsDeps } from './job-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { showService } from './service-metrics.ts';
import type { ServiceSources } from './service-metrics.ts';

export interface Metrics extends Disposable {
  readonly http: HttpMetrics;
  readonly contentType: string;
  /** In the text format of Prometheus. */
  render(): Promise<string>;
}

export interface MetricsDeps extends JobMetricsDeps, BackendMetricsDeps {
  events: Events;
  labelOf: LabelOf;
  sources: ServiceSources;
  version: string;
}

/** The figures of one bridge, each in one place: counted from its events, or looked up when somebody asks. */
export function createMetrics(deps: MetricsDeps): Metrics {
  const own = new Registry();
  const registers = [own];
  const stops = [countJobs(registers, deps), countAttempts(registers, deps), showService(registers, deps)];
  showBackends(registers, deps);
  const ofProcess = processMetrics();
  return {
    http: countHttp(registers),
    contentType: own.contentType,
    async render() {
      return `${await own.metrics()}\n${await ofProcess.metrics()}`;
    },
    [Symbol.dispose]: () => stops.forEach((stop) => stop()),
  };
}
