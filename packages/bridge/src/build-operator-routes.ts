import type { RequestHandler, Router } from 'express';

import type { Access } from './access/access.ts';
import type { FleetParts } from './build-fleet.ts';
import type { Observability } from './build-observability.ts';
import type { SchedulingParts } from './build-scheduling.ts';
import type { DescribeBackend } from './http/answers/describe-backend.ts';
import { guardMetrics } from './http/requests/metrics-gate.ts';
import type { MetricsGate } from './http/requests/metrics-gate.ts';
import { createAuditRoutes } from './http/routes/audit.ts';
import { createBackendRoutes } from './http/routes/backends.ts';
import { createFreeRoutes } from './http/routes/free.ts';
import { createKeyRoutes } from './http/routes/keys.ts';
import { createMetricsRoutes } from './http/routes/metrics.ts';
import { createRequirementRoutes } from './http/routes/requirements.ts';
import { createStatsRoutes } from './http/routes/stats.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { WorkflowCatalog } from './workflows/catalog/workflow-catalog.ts';

export interface BuildOperatorRoutesDeps {
  access: Access;
  ledger: JobLedger;
  workflows: WorkflowCatalog;
  fleetParts: FleetParts;
  schedulingParts: SchedulingParts;
  observability: Observability;
  metricsGate: MetricsGate;
  describeBackend: DescribeBackend;
  requireOperator: RequestHandler;
  now: () => number;
}

/** A part of the composition root: what operators ask of the bridge, beside the jobs. `isFreeOpen`: as the original, to anybody. */
export function buildOperatorRoutes(
  deps: BuildOperatorRoutesDeps,
  { isFreeOpen }: { isFreeOpen: boolean },
): Router[] {
  const { access, ledger, workflows, observability, requireOperator, now } = deps;
  const { fleet, changes, requirements } = deps.fleetParts;
  const { history } = deps.schedulingParts;
  return [
    createKeyRoutes({ keys: access.keys, requireOperator, now }),
    createAuditRoutes({ audit: access.audit, requireOperator }),
    createMetricsRoutes({
      metrics: observability.metrics,
      guard: guardMetrics(deps.metricsGate, requireOperator),
    }),
    createStatsRoutes({ stats: observability.stats, requireOperator }),
    createBackendRoutes({ fleet, changes, requireOperator, describe: deps.describeBackend, history }),
    createRequirementRoutes({ workflows, requirements, fleet, requireOperator }),
    createFreeRoutes({
      fleet,
      ledger,
      guardFree: isFreeOpen ? (_request, _response, next) => next() : requireOperator,
    }),
  ];
}
