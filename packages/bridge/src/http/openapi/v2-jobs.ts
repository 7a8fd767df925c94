import {
  v2JobSchema,
  v2JobWorkflowSchema,
  v2OutputSchema,
  v2PreviewEventSchema,
  v2ProgressSchema,
  v2StatusEventSchema,
  v2SubmitSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { idempotencyHeaders, jobPath, locationHeader, priorityHeaders } from './parameters.ts';

const tag = 'jobs';

export const exampleGraph = {
  '1': { class_type: 'LoadImage', inputs: { image: 'photo.png' } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'result' } },
};

/** The events of a job, as `GET …/events` tells them. */
export const jobEvents = {
  status: {
    description: 'Every change of state, the one on connect included, and of the place in the queue.',
    schema: v2StatusEventSchema,
  },
  progress: {
    description: 'Each a whole snapshot, at most ten a second.',
    schema: v2ProgressSchema,
  },
  preview: {
    description: 'A picture of how far it is; the newest one on connect.',
    schema: v2PreviewEventSchema,
  },
  output: {
    description: 'A result, the moment it is there. A hint: the whole set is always `outputs` of the job.',
    schema: v2OutputSchema,
  },
};

const job = json(v2JobSchema);

/** Jobs of Comfy API v2; operation ids, paths and shapes are the official ones. */
export const v2JobOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/v2/jobs',
    operationId: 'postJobs',
    tag,
    summary: 'Submit a graph',
    description:
      'Takes a graph in API format as it is. Open to whoever the operator lets run graphs of their own (`ALLOW_ANY_WORKFLOW`); by default that is this machine. A 201 means that the job is kept and waits.',
    headers: idempotencyHeaders.extend(priorityHeaders.shape),
    body: { required: true, content: json(v2SubmitSchema, { workflow: exampleGraph }) },
    answers: {
      201: { description: 'The job, queued.', content: job, headers: { Location: locationHeader } },
    },
    refusals: [
      'forbidden',
      'bad_request',
      'too_large',
      'invalid_workflow',
      'workflow_format_ui',
      'missing_asset',
      'idempotency_key_reuse',
      'no_capable_backend',
      'queue_full',
      'no_backend',
      'draining',
      'unavailable',
      'storage_full',
    ],
    extensions: { 'x-idempotency-key': 'recommended' },
  },
  {
    method: 'get',
    path: '/api/v2/jobs/{id}',
    operationId: 'getJob',
    tag,
    summary: 'A job: where it stands, and its results',
    pathParameters: jobPath,
    answers: { 200: { description: 'The job.', content: job } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'get',
    path: '/api/v2/jobs/{id}/workflow',
    operationId: 'getJobWorkflow',
    tag,
    summary: 'The graph behind a job',
    description:
      'As it may be submitted again. That of a published workflow is shown only to whoever may run graphs of their own.',
    pathParameters: jobPath,
    answers: { 200: { description: 'Always in API format.', content: json(v2JobWorkflowSchema) } },
    refusals: ['not_found', 'forbidden', 'unavailable'],
  },
  {
    method: 'get',
    path: '/api/v2/jobs/{id}/events',
    operationId: 'getJobEvents',
    tag,
    summary: 'A job as it runs (server-sent events)',
    description:
      'First how things stand, then what happens, until the state that ends the job; with that the stream ends.',
    pathParameters: jobPath,
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
    path: '/api/v2/jobs/{id}/cancel',
    operationId: 'cancelJob',
    tag,
    summary: 'Cancel a job',
    description: 'Asking again, or when it has ended, changes nothing.',
    pathParameters: jobPath,
    answers: { 200: { description: 'The job as it is now.', content: job } },
    refusals: ['not_found', 'unavailable', 'storage_full'],
    extensions: { 'x-retryable': true },
  },
];
