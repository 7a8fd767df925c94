import { v2SubmitSchema } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { toExtraData } from '../../scheduling/submit/job-credentials.ts';
import type { SubmitGraph } from '../../scheduling/submit/submit-graph.ts';
import { toAssetReference } from '../../workflows/graph/asset-references.ts';
import { releasing } from '../requests/idempotency.ts';
import type { Idempotency } from '../requests/idempotency.ts';
import { requireGraphs } from '../requests/may-run-graphs.ts';
import type { GraphGuard } from '../requests/may-run-graphs.ts';
import { originOf } from '../requests/origin-of.ts';
import { readBody } from '../requests/read-body.ts';
import { readCaller } from '../requests/read-caller.ts';
import { requireJob } from '../requests/require-job.ts';

export interface V2SubmitDeps {
  submitGraph: SubmitGraph;
  ledger: JobLedger;
  idempotency: Idempotency;
  graphs: GraphGuard;
  isOperator(request: Request): boolean;
  contextOf(job: Job, origin: string): V2Context;
}

const example = '{"workflow": {"9": {"class_type": "SaveImage", "inputs": {…}}}}';

/** `POST /api/v2/jobs` and the graph behind a job. */
export function createV2SubmitRoutes(deps: V2SubmitDeps, { maxJsonBytes }: { maxJsonBytes: number }): Router {
  const { submitGraph, ledger, graphs } = deps;
  const router = Router();

  router.post('/api/v2/jobs', async (request, response) => {
    requireGraphs(graphs, request);
    const body = await readBody(request, v2SubmitSchema, example, maxJsonBytes);
    const claim = await deps.idempotency.claim(request, 'POST /api/v2/jobs');
    const job = await releasing(claim, () =>
      submitGraph({
        ...readCaller(request, deps.isOperator),
        // A stream of events is part of what every job of this API has, and is opened after the submit.
        previews: true,
        graph: body.workflow,
        extraData: toExtraData(body.extra_data),
      }),
    );
    const described = toV2Job(job, deps.contextOf(job, originOf(request)));
    response.status(201).location(described.urls.self).json(described);
  });

  router.get('/api/v2/jobs/:id/workflow', async (request, response) => {
    const job = await requireJob(ledger, request);
    // A published workflow is its author's.
    if (!job.workflow.startsWith('graph:') && !graphs.mayRunGraphs(request)) {
      throw new BridgeError(
        'forbidden',
        'the graph of a published workflow is shown only to whoever may run any graph',
      );
    }
    response.type('application/json').send(stringifyLossless({ workflow: toGraph(job), format: 'api' }));
  });

  return router;
}

/** As it may be submitted again: with the assets in their places. */
function toGraph({ prompt, stagedInputs }: Job): Record<string, unknown> {
  const graph = structuredClone(prompt);
  for (const { nodeId, inputName, source } of stagedInputs) {
    const node = graph[nodeId];
    if (node !== undefined && source.kind === 'upload' && source.assetId !== undefined)
      node.inputs[inputName] = toAssetReference(source.assetId);
  }
  return graph;
}
