import { Router } from 'express';

import { BridgeError } from '../../errors.ts';
import { parseLossless, stringifyLossless } from '../../lib/lossless-json.ts';
import { isRecord } from '../../lib/is-record.ts';
import type { PreviewJob } from '../../scheduling/submit/preview-job.ts';

const expectation = 'inputs is a JSON object like {"6/text": "a cat"}, URL-encoded';

/** `GET /api/bridge/workflows/{alias}/placement?inputs=…`: where a job with these inputs would run, and why not elsewhere. */
export function createPlacementRoutes({ previewJob }: { previewJob: PreviewJob }): Router {
  const router = Router();
  router.get('/api/bridge/workflows/:alias/placement', async (request, response) => {
    const { inputs } = request.query;
    const explanation = await previewJob(request.params.alias, readInputs(inputs));
    response.type('application/json').send(stringifyLossless(explanation));
  });
  return router;
}

function readInputs(inputs: unknown): Record<string, unknown> {
  if (inputs === undefined || inputs === '') return {};
  if (typeof inputs !== 'string') throw new BridgeError('bad_request', expectation);
  let values: unknown;
  try {
    values = parseLossless(inputs);
  } catch {
    throw new BridgeError('bad_request', expectation);
  }
  if (!isRecord(values)) throw new BridgeError('bad_request', expectation);
  return values;
}
