import { bridgeSubmitSchema } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { toExtraData } from '../../scheduling/submit/job-credentials.ts';
import type { SubmitGraph } from '../../scheduling/submit/submit-graph.ts';
import { isUiWorkflow } from '../../workflows/convert-ui/is-ui-workflow.ts';
import type { Idempotency } from '../requests/idempotency.ts';
import { requireGraphs } from '../requests/may-run-graphs.ts';
import type { GraphGuard } from '../requests/may-run-graphs.ts';
import { originOf } from '../requests/origin-of.ts';
import { readBody } from '../requests/read-body.ts';
import { readCaller } from '../requests/read-caller.ts';
import { withWebhook } from '../requests/with-webhook.ts';
import type { WebhookRegistry } from '../requests/with-webhook.ts';

export interface BridgeSubmitDeps {
  submitGraph: SubmitGraph;
  /** The API format of what the editor saved; throws with every reason where that cannot be done exactly. */
  convert(workflow: Record<string, unknown>): unknown;
  webhooks: WebhookRegistry;
  findJob(id: string): Promise<Job | undefined>;
  idempotency: Idempotency;
  graphs: GraphGuard;
  isOperator(request: Request): boolean;
  contextOf(job: Job, origin: string): V2Context;
}

const example = '{"workflow": {"9": {"class_type": "SaveImage", "inputs": {…}}}}';

/**
 * `POST /api/bridge/jobs`: as `POST /api/v2/jobs`, and beyond the contract: the editor's own format is converted, a webhook can
 * be asked for, and a repeat with the same `Idempotency-Key` answers the job of the first.
 */
export function createBridgeSubmitRoutes(
  deps: BridgeSubmitDeps,
  { maxJsonBytes }: { maxJsonBytes: number },
): Router {
  const { submitGraph, idempotency, graphs } = deps;
  const router = Router();

  router.post('/api/bridge/jobs', async (request, response) => {
    requireGraphs(graphs, request);
    const body = await readBody(request, bridgeSubmitSchema, example, maxJsonBytes);
    const made: { job: Job | undefined } = { job: undefined };
    const { id, replayed } = await idempotency.once(
      request,
      'POST /api/bridge/jobs',
      stringifyLossless(body),
      {
        async run(plan) {
          const submission = {
            ...readCaller(request, deps.isOperator),
            previews: body.previews ?? false,
            graph: isUiWorkflow(body.workflow) ? deps.convert(body.workflow) : body.workflow,
            extraData: toExtraData(body.extra_data),
          };
          made.job = await withWebhook(deps.webhooks, request, body.webhook, (prepare) =>
            submitGraph(submission, {
              async prepare(job) {
                await prepare(job);
                await plan(job.id);
              },
            }),
          );
          return made.job.id;
        },
        isMade: async (id) => (await deps.findJob(id)) !== undefined,
      },
    );
    const job = made.job ?? (await deps.findJob(id));
    if (job === undefined)
      throw new BridgeError('not_found', 'the job that was made with this key has expired');
    const described = toV2Job(job, deps.contextOf(job, originOf(request)));
    if (replayed) response.setHeader('Idempotency-Replayed', 'true');
    response
      .status(replayed ? 200 : 201)
      .location(described.urls.self)
      .json(described);
  });

  return router;
}
