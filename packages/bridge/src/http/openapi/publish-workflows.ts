import {
  publishedWorkflowSchema,
  publishRequestSchema,
  workflowVersionsSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { json } from './operation.ts';
import type { Operation } from './operation.ts';
import { locationHeader } from './parameters.ts';

const path = '/api/bridge/workflows/{alias}';
const shared = { tag: 'operation', access: 'operator' } as const;
const guarded = ['unauthorized', 'forbidden'] as const;
const refusals = [...guarded, 'bad_request', 'conflict', 'limited', 'unavailable', 'storage_full'] as const;

const aliasPath = z.object({
  alias: z
    .string()
    .describe('1 to 128 characters, without "/", "\\" and control characters.')
    .meta({ example: 'text-to-image' }),
});
const versionPath = aliasPath.extend({ version: z.string().meta({ example: '4b1d5a0e8c2f7396' }) });
const etag = z.string().describe('The version, in quotation marks.');
const ifMatch = z.object({
  'If-Match': z
    .string()
    .optional()
    .describe('The version that is meant, in quotation marks: another one is refused with 409 `conflict`.'),
});
const ifNoneMatch = z
  .string()
  .optional()
  .describe('`*`: only if there is no workflow of that alias, else 409 `conflict`.');
const published = json(publishedWorkflowSchema);

const example = {
  workflow: {
    '1': {
      class_type: 'EmptyImage',
      inputs: { width: 512, height: 512, batch_size: 1, color: 0 },
      _meta: { title: 'Empty Image', apiinput: 'width,height' },
    },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'ComfyUI' } },
  },
  description: 'Makes an empty picture.',
};

/** Workflows, put into the workflow folder from afar. */
/** Of every call after which something else is published. */
const publishAnswers: Operation['answers'] = {
  200: {
    description: 'It has taken the place of the one before.',
    content: published,
    headers: { ETag: etag },
  },
  201: {
    description: 'It is published.',
    content: published,
    headers: { ETag: etag, Location: locationHeader },
  },
};

export const publishOperations: readonly Operation[] = [
  {
    ...shared,
    method: 'put',
    path,
    operationId: 'publishWorkflow',
    summary: 'Publish a workflow, or a new version of it',
    description:
      'All at once, or not at all. Jobs that were sent before keep the workflow as it was. The answer says what the author should mend, and which ComfyUI can run it.',
    pathParameters: aliasPath,
    headers: ifMatch.extend({ 'If-None-Match': ifNoneMatch }),
    body: { required: true, content: json(publishRequestSchema, example) },
    answers: publishAnswers,
    refusals: [...refusals, 'invalid_workflow', 'file_refused', 'too_large'],
  },
  {
    ...shared,
    method: 'delete',
    path,
    operationId: 'removeWorkflow',
    summary: 'Publish a workflow no longer',
    description: 'What was published stays among its versions.',
    pathParameters: aliasPath,
    headers: ifMatch,
    answers: { 204: { description: 'It is gone.' } },
    refusals: [...refusals, 'not_found'],
  },
  {
    ...shared,
    method: 'get',
    path: `${path}/file`,
    operationId: 'getWorkflowFile',
    summary: 'The file of a workflow',
    description: 'In API format, with its marks.',
    pathParameters: aliasPath,
    headers: z.object({ 'If-None-Match': z.string().optional().describe('The `ETag` that the caller has.') }),
    answers: {
      200: {
        description: 'As it stands in the folder.',
        content: json({ raw: { type: 'object', additionalProperties: true } }),
        headers: { ETag: etag },
      },
      304: { description: 'The caller has it.', headers: { ETag: etag } },
    },
    refusals: [...refusals, 'not_found'],
  },
  {
    ...shared,
    method: 'get',
    path: `${path}/versions`,
    operationId: 'listWorkflowVersions',
    summary: 'What was published under an alias',
    pathParameters: aliasPath,
    answers: { 200: { description: 'The last ten.', content: json(workflowVersionsSchema) } },
    refusals: [...refusals, 'not_found'],
  },
  {
    ...shared,
    method: 'post',
    path: `${path}/versions/{version}/restore`,
    operationId: 'restoreWorkflow',
    summary: 'Publish an earlier version again',
    description: 'Also of a workflow that is not published any more.',
    pathParameters: versionPath,
    headers: ifMatch.extend({ 'If-None-Match': ifNoneMatch }),
    answers: publishAnswers,
    refusals: [...refusals, 'not_found', 'invalid_workflow'],
  },
];
