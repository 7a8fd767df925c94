import {
  base64ResultsSchema,
  compatDetailSchema,
  compatFrameSchema,
  generateAnswerSchema,
  generateRequestSchema,
  uploadAnswerSchema,
  workflowInfoSchema,
  workflowListEntrySchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { clientQuery, optionalClientQuery, priorityHeaders } from './parameters.ts';

const tag = 'compatibility';
const frame = { status: 'progress', details: '33.15%', detail: '33.15%' };

/** The API of the original bridge. Its WebSocket is in `socket.ts`. */
export const compatOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/workflow-list',
    operationId: 'listWorkflows',
    tag,
    summary: 'The published workflows',
    query: z.object({
      detail: z
        .string()
        .optional()
        .describe('`full`: with descriptions and thumbnails. Anything else: their aliases only.')
        .meta({ example: 'full' }),
    }),
    answers: {
      200: {
        description: 'Aliases, or with `detail=full` an object for each workflow.',
        content: json(z.union([z.array(z.string()), z.array(workflowListEntrySchema)]), [
          'text-to-image',
          'upscale',
        ]),
      },
    },
  },
  {
    method: 'get',
    path: '/workflow-info',
    operationId: 'describeWorkflow',
    tag,
    summary: 'The inputs of a workflow',
    description:
      "The inputs that the author marked, and no others, in the author's order. The key is `<node id>/<input name>`; split it at the last `/`.",
    query: z.object({ workflow: z.string().min(1).meta({ example: 'text-to-image' }) }),
    answers: { 200: { description: 'By key.', content: json(workflowInfoSchema) } },
    refusals: ['bad_request', 'unknown_workflow'],
  },
  {
    method: 'post',
    path: '/upload',
    operationId: 'upload',
    tag,
    summary: 'Upload files',
    description:
      'One or more files; the name of each part is its identifier, and the key of the input is a good one. If one is refused, none is kept.',
    query: optionalClientQuery,
    body: {
      required: true,
      content: { 'multipart/form-data': { schema: z.object({}).catchall(z.file()) } },
    },
    answers: {
      200: {
        description: 'The saved name for each identifier: what an input takes as its value.',
        content: json(uploadAnswerSchema, { '1/image': 'd02302bd-c920-4608-a17a-22e2008f47c4.png' }),
      },
    },
    refusals: ['bad_request', 'file_refused', 'too_large', 'draining', 'storage_full', 'unavailable'],
  },
  {
    method: 'post',
    path: '/generate-based-workflow',
    operationId: 'generate',
    tag,
    summary: 'Submit a job',
    description:
      "What is not sent keeps the author's default. One unfinished job per clientId. The body is read as JSON whatever its `Content-Type`.",
    query: clientQuery,
    headers: priorityHeaders,
    body: {
      description: 'The alias, and any number of `"<node id>/<input name>"` keys with their values.',
      required: true,
      content: json(generateRequestSchema, {
        workflow: 'text-to-image',
        '6/text': 'a lighthouse at dawn',
        '3/seed': 1234,
      }),
    },
    answers: { 200: { description: 'It is in the queue.', content: json(generateAnswerSchema) } },
    refusals: [
      'bad_request',
      'unknown_workflow',
      'invalid_input',
      'job_unfinished',
      'too_large',
      'queue_full',
      'no_backend',
      'no_capable_backend',
      'draining',
      'unavailable',
      'storage_full',
    ],
  },
  {
    method: 'post',
    path: '/interrupt',
    operationId: 'interrupt',
    tag,
    summary: "Stop a client's job",
    description: 'Drops it from the queue, or stops it where it runs: that job alone.',
    query: clientQuery,
    answers: { 200: { description: 'Also when it had ended.', content: json(compatDetailSchema) } },
    refusals: ['bad_request', 'unknown_client', 'unavailable', 'storage_full'],
  },
  {
    method: 'get',
    path: '/execution-info',
    operationId: 'getExecutionInfo',
    tag,
    summary: "Where a client's job stands",
    query: clientQuery,
    answers: {
      200: { description: 'In the words of the WebSocket.', content: json(compatFrameSchema, frame) },
    },
    refusals: ['bad_request', 'unknown_client', 'unavailable'],
  },
  {
    method: 'get',
    path: '/history',
    operationId: 'fetchResults',
    tag,
    summary: "The results of a client's job, once",
    description: 'Results are delivered once, then they are deleted.',
    query: clientQuery.extend({
      resType: z
        .enum(['multipart', 'base64', ''])
        .optional()
        .describe('`multipart` (the default): parts `result_0`, `result_1`, …. `base64`: JSON.')
        .meta({ example: 'base64' }),
    }),
    answers: {
      200: {
        description: 'The results.',
        content: {
          'multipart/form-data': { schema: z.object({}).catchall(z.file()) },
          ...json(base64ResultsSchema),
        },
      },
      204: {
        description: 'There are none (yet, or any more).',
        headers: { 'X-Detail': z.string().describe('Why.') },
      },
    },
    refusals: ['bad_request', 'job_failed', 'unavailable'],
  },
  {
    method: 'get',
    path: '/generation-count',
    operationId: 'countGenerations',
    tag,
    summary: 'All jobs ever submitted',
    answers: { 200: { description: 'Over restarts.', content: json(z.int().nonnegative(), 3) } },
    refusals: ['unavailable'],
  },
  {
    method: 'post',
    path: '/free',
    operationId: 'freeMemory',
    tag,
    access: 'operator',
    summary: 'Unload the models of every ComfyUI',
    description: 'Open to everybody where no operator token is set.',
    query: z.object({
      clientId: optionalClientQuery.shape.clientId.describe("Only the ComfyUI that runs this client's job."),
    }),
    answers: { 200: { description: 'They were asked to.', content: json(compatDetailSchema) } },
    refusals: ['bad_request', 'unknown_client', 'unauthorized', 'forbidden'],
  },
];
