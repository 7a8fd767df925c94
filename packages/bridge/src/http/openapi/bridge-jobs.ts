import {
  bridgeJobListSchema,
  bridgeJobSchema,
  bridgeSubmitSchema,
  convertAnswerSchema,
  convertRequestSchema,
  jobStatusSchema,
  priorityRequestSchema,
  v2JobSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import {
  jobPath,
  locationHeader,
  optionalClientQuery,
  priorityHeaders,
  replayedHeader,
  replayHeaders,
} from './parameters.ts';
import { fileAnswers, rangeHeaders } from './v2-assets.ts';
import { exampleGraph, jobEvents } from './v2-jobs.ts';

const tag = 'jobs';
const job = json(bridgeJobSchema);

const time = z.union([z.iso.datetime({ offset: true }), z.literal('')]);

const listQuery = optionalClientQuery.extend({
  owner: z
    .enum(['me', ''])
    .optional()
    .describe('`me`: those that were submitted with the secret that is sent here.'),
  status: z
    .string()
    .optional()
    .describe(`One or more of ${jobStatusSchema.options.join(', ')}, with commas.`)
    .meta({ example: 'succeeded,failed' }),
  workflow: z.string().max(200).optional().describe('An alias.'),
  backend: z.string().max(200).optional().describe('A backend that has, or had, any run of it.'),
  since: time.optional().describe('Made then or later.').meta({ example: '2026-01-31T08:00:00Z' }),
  until: time.optional().describe('Made before.'),
  q: z
    .string()
    .max(200)
    .optional()
    .describe('A part of the id, the `clientId` or the workflow. For operators.'),
  after: z.string().optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Ours beside the official contract. */
export const bridgeJobOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/bridge/jobs',
    operationId: 'listJobs',
    tag,
    summary: 'Jobs, newest first',
    description:
      "Those of one `clientId`, or with `owner=me` of one's own secret; everybody's only for operators.",
    query: listQuery,
    answers: { 200: { description: 'A page.', content: json(bridgeJobListSchema) } },
    refusals: ['bad_request', 'unauthorized', 'forbidden', 'unavailable'],
  },
  {
    method: 'post',
    path: '/api/bridge/jobs',
    operationId: 'submitGraph',
    tag,
    summary: 'Submit a graph, in any format',
    description:
      "As `POST /api/v2/jobs`, and beyond it: the editor's own format is converted, a webhook can be asked for, and a repeat with the same `Idempotency-Key` answers the job of the first.",
    headers: replayHeaders.extend(priorityHeaders.shape),
    body: { required: true, content: json(bridgeSubmitSchema, { workflow: exampleGraph }) },
    answers: {
      200: {
        description: 'The job that an earlier request with this key made.',
        content: json(v2JobSchema),
        headers: { Location: locationHeader, 'Idempotency-Replayed': replayedHeader },
      },
      201: {
        description: 'The job, queued.',
        content: json(v2JobSchema),
        headers: { Location: locationHeader },
      },
    },
    refusals: [
      'forbidden',
      'bad_request',
      'too_large',
      'invalid_workflow',
      'workflow_format_ui',
      'missing_asset',
      'idempotency_key_reuse',
      'conflict',
      'not_found',
      'no_capable_backend',
      'queue_full',
      'no_backend',
      'draining',
      'unavailable',
      'storage_full',
    ],
  },
  {
    method: 'post',
    path: '/api/bridge/convert',
    operationId: 'convertWorkflow',
    tag,
    summary: "Convert a workflow from the editor's format",
    description:
      'Exactly what the editor would send to a machine of the fleet, or every reason why that cannot be said.',
    body: {
      required: true,
      content: json(convertRequestSchema, { workflow: { nodes: [], links: [], version: 0.4 } }),
    },
    answers: { 200: { description: 'The graph, in API format.', content: json(convertAnswerSchema) } },
    refusals: ['forbidden', 'bad_request', 'too_large', 'invalid_workflow'],
  },
  {
    method: 'get',
    path: '/api/bridge/jobs/{id}',
    operationId: 'getBridgeJob',
    tag,
    summary: 'A job, with its tries and where the time went',
    pathParameters: jobPath,
    answers: { 200: { description: 'The job.', content: job } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'delete',
    path: '/api/bridge/jobs/{id}',
    operationId: 'forgetJob',
    tag,
    summary: 'Forget a job and its results now',
    description: 'Only once it has ended.',
    pathParameters: jobPath,
    answers: { 204: { description: 'It is gone.' } },
    refusals: ['not_found', 'conflict', 'unavailable', 'storage_full'],
  },
  {
    method: 'get',
    path: '/api/bridge/jobs/{id}/events',
    operationId: 'followJob',
    tag,
    summary: 'A job as it runs, with numbers (server-sent events)',
    description:
      'As `GET /api/v2/jobs/{id}/events`, with rising ids: who lost the connection goes on behind the last one it has, over restarts of the bridge too.',
    pathParameters: jobPath,
    query: z.object({ after: z.string().optional().describe('As `Last-Event-ID`.') }),
    headers: z.object({
      'Last-Event-ID': z
        .string()
        .optional()
        .describe(
          "The id of the last event that the caller has; a browser's `EventSource` sends it by itself.",
        ),
    }),
    answers: {
      200: {
        description: 'The stream; its events are in `x-sse-events`.',
        content: { 'text/event-stream': { schema: z.string() } },
      },
    },
    refusals: ['not_found', 'too_many_streams', 'unavailable'],
    events: jobEvents,
  },
  {
    method: 'post',
    path: '/api/bridge/jobs/{id}/priority',
    operationId: 'setJobPriority',
    tag: 'operation',
    access: 'operator',
    summary: "Change a job's place in the line",
    pathParameters: jobPath,
    body: { required: true, content: json(priorityRequestSchema, { priority: 2 }) },
    answers: { 200: { description: 'The job.', content: job } },
    refusals: [
      'bad_request',
      'too_large',
      'unauthorized',
      'forbidden',
      'not_found',
      'conflict',
      'unavailable',
      'storage_full',
    ],
  },
  {
    method: 'get',
    path: '/api/bridge/jobs/{id}/results/{index}',
    operationId: 'getJobResult',
    tag,
    summary: 'One result as a file',
    description: 'As often as wanted, until `GET /history` has delivered it or it expires.',
    pathParameters: jobPath.extend({
      index: z.string().describe('As in `url` of an output.').meta({ example: '0' }),
    }),
    headers: rangeHeaders,
    answers: fileAnswers,
    refusals: ['not_found', 'range_not_satisfiable', 'unavailable'],
  },
];
