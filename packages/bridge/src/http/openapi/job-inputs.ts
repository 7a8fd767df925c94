import { jobInputsSchema, v2JobSchema } from '@comfy-bridge/protocol';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { jobPath, locationHeader, priorityHeaders } from './parameters.ts';

const tag = 'jobs';

/** What a job was run with, and running it once more. */
export const jobInputOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/bridge/jobs/{id}/inputs',
    operationId: 'getJobInputs',
    tag,
    summary: 'What a job was run with',
    description:
      'By the names that the inputs of its workflow have now, so that it can be changed and sent again. Of a graph of its own, and of a workflow that is not published any more, nothing.',
    pathParameters: jobPath,
    answers: { 200: { description: 'Its inputs.', content: json(jobInputsSchema) } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'post',
    path: '/api/bridge/jobs/{id}/retry',
    operationId: 'retryJob',
    tag,
    summary: 'Run a job once more',
    description:
      "A new job of the caller's, with the same graph and the same files; the old one stays as it is. 409 says which file is gone.",
    pathParameters: jobPath,
    headers: priorityHeaders,
    answers: {
      201: {
        description: 'The new job, queued.',
        content: json(v2JobSchema),
        headers: { Location: locationHeader },
      },
    },
    refusals: [
      'bad_request',
      'forbidden',
      'not_found',
      'conflict',
      'no_capable_backend',
      'limited',
      'queue_full',
      'no_backend',
      'draining',
      'unavailable',
      'storage_full',
    ],
  },
];
