import {
  jobGroupSchema,
  namedSubmitSchema,
  placementSchema,
  v2JobSchema,
  workflowDetailSchema,
  workflowListSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Answer, Content, Operation } from './operation.ts';
import { aliasPath, locationHeader, priorityHeaders, replayedHeader, replayHeaders } from './parameters.ts';

const tag = 'workflows';
const path = '/api/bridge/workflows';

const submitHeaders = replayHeaders.extend({
  ...priorityHeaders.shape,
  Prefer: z
    .string()
    .optional()
    .describe(
      '`wait=N` (RFC 7240), 1 to 300: answers when the job has ended, or after N seconds. With `image/*`, `video/*` or `audio/*` first in `Accept`: the one result itself.',
    ),
});
const made = { Location: locationHeader, 'Idempotency-Replayed': replayedHeader };
const applied = { ...made, 'Preference-Applied': z.string().optional() };

/** What running a workflow answers; `created` is the job, or a group where that is possible. */
export function runAnswers(created: Content): Readonly<Record<number, Answer>> {
  return {
    200: {
      description:
        'What was waited for: the job as it ended, or the result itself. Or what an earlier request with this key made.',
      content: {
        ...created,
        ...bytes('image/*', 'video/*', 'audio/*', 'text/*', 'application/octet-stream'),
      },
      headers: {
        ...applied,
        Location: locationHeader.optional(),
        'X-Job-Id': z.string().optional().describe('Of the job, where the result itself is answered.'),
        'Content-Disposition': z.string().optional(),
      },
    },
    201: { description: 'It is in the queue.', content: created, headers: made },
    202: { description: 'It has not ended in the time that was given.', content: created, headers: applied },
  };
}

/** For any alias; each published workflow has one of its own beside it, with its inputs. */
export const runOperation: Operation = {
  method: 'post',
  path: `${path}/{alias}/jobs`,
  operationId: 'runWorkflow',
  tag,
  summary: 'Run a workflow',
  description:
    'Inputs by name, label or key; what is not sent has its default. With a list for an input, a group of jobs: one for each value.',
  pathParameters: aliasPath,
  query: z.object({
    leave: z
      .enum(['keep', 'cancel'])
      .default('keep')
      .describe('What becomes of the job when the caller goes while it waits.'),
  }),
  headers: submitHeaders,
  body: {
    required: true,
    content: json(namedSubmitSchema, { inputs: { prompt: 'a lighthouse at dawn' } }),
  },
  answers: runAnswers(json(z.union([v2JobSchema, jobGroupSchema]))),
  refusals: [
    'bad_request',
    'invalid_input',
    'invalid_workflow',
    'missing_asset',
    'run_failed',
    'too_large',
    'not_found',
    'conflict',
    'idempotency_key_reuse',
    'queue_full',
    'limited',
    'no_backend',
    'no_capable_backend',
    'draining',
    'unavailable',
    'storage_full',
  ],
};

export const bridgeWorkflowOperations: readonly Operation[] = [
  {
    method: 'get',
    path,
    operationId: 'listPublishedWorkflows',
    tag,
    summary: 'The published workflows',
    answers: { 200: { description: 'All of them.', content: json(workflowListSchema) } },
  },
  {
    method: 'get',
    path: `${path}/{alias}`,
    operationId: 'getPublishedWorkflow',
    tag,
    summary: 'A workflow: what goes in, and what comes out',
    pathParameters: aliasPath,
    answers: { 200: { description: 'With schemas of both.', content: json(workflowDetailSchema) } },
    refusals: ['not_found'],
  },
  {
    method: 'get',
    path: `${path}/{alias}/thumbnail`,
    operationId: 'getWorkflowThumbnail',
    tag,
    summary: 'The picture of a workflow',
    pathParameters: aliasPath,
    headers: z.object({ 'If-None-Match': z.string().optional().describe('The `ETag` that the caller has.') }),
    answers: {
      200: { description: 'The picture.', content: bytes('image/*'), headers: { ETag: z.string() } },
      304: { description: 'The caller has it.', headers: { ETag: z.string() } },
    },
    refusals: ['not_found'],
  },
  {
    method: 'get',
    path: `${path}/{alias}/placement`,
    operationId: 'previewPlacement',
    tag,
    summary: 'Where a job would run, and why not elsewhere',
    description: 'Without submitting it.',
    pathParameters: aliasPath,
    query: z.object({
      inputs: z
        .string()
        .optional()
        .describe('What would be sent, as a JSON object.')
        .meta({ example: '{"6/text": "a cat"}' }),
    }),
    answers: { 200: { description: "Each backend's verdict.", content: json(placementSchema) } },
    refusals: ['bad_request', 'not_found', 'invalid_input'],
  },
  runOperation,
];

const groupPath = z.object({ id: z.string().meta({ example: '2b1f0c8e-5a44-4d0f-9f6e-0a5d7c1e9b3a' }) });

export const groupOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/bridge/groups/{id}',
    operationId: 'getGroup',
    tag,
    summary: 'Jobs that one request made',
    pathParameters: groupPath,
    answers: { 200: { description: 'All of them, and how far they are.', content: json(jobGroupSchema) } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'post',
    path: '/api/bridge/groups/{id}/cancel',
    operationId: 'cancelGroup',
    tag,
    summary: 'Cancel what has not ended of a group',
    pathParameters: groupPath,
    answers: { 200: { description: 'As it is now.', content: json(jobGroupSchema) } },
    refusals: ['not_found', 'unavailable', 'storage_full'],
  },
];
