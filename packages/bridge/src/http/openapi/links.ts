import { createdLinkSchema, newLinkSchema, sharedResultsSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Answer, Operation } from './operation.ts';
import { jobPath } from './parameters.ts';
import { fileAnswers, rangeHeaders } from './v2-assets.ts';

const tag = 'jobs';
const path = '/api/bridge/links/{token}';
const linkPath = z.object({
  token: z.string().describe('Of a link.').meta({ example: 'fz0sG5qOTW-wEjxNXm96iwAAaW8…' }),
});
const archive: Answer = {
  description: 'A ZIP, packed as it is sent.',
  content: bytes('application/zip'),
  headers: { 'Content-Disposition': z.string().describe('With its name.') },
};

/** Results for whoever has a link to them; and all of them in one file. */
export const linkOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/bridge/jobs/{id}/links',
    operationId: 'createLink',
    tag,
    summary: 'A link to the results of a job',
    description:
      'Whoever has it may read the results, and nothing else, without a key, until it ends: with the results at the latest, with the job, or when the key that the job belongs to is revoked.',
    pathParameters: jobPath,
    body: { content: json(newLinkSchema, { expires_in: 3600 }) },
    answers: { 201: { description: 'The link.', content: json(createdLinkSchema) } },
    refusals: ['bad_request', 'too_large', 'not_found', 'conflict', 'unavailable'],
  },
  {
    method: 'get',
    path: '/api/bridge/jobs/{id}/archive',
    operationId: 'getJobArchive',
    tag,
    summary: 'All results of a job in one file',
    pathParameters: jobPath,
    answers: { 200: archive },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'get',
    path,
    operationId: 'openLink',
    tag,
    summary: 'What a link leads to',
    description: 'For everybody who has it. One that is wrong, forged or over is not there.',
    pathParameters: linkPath,
    answers: { 200: { description: 'The results.', content: json(sharedResultsSchema) } },
    refusals: ['not_found', 'unavailable'],
  },
  {
    method: 'get',
    path: `${path}/results/{index}`,
    operationId: 'getLinkedResult',
    tag,
    summary: 'One result of a link, as a file',
    pathParameters: linkPath.extend({
      index: z.string().describe('As in `outputs`.').meta({ example: '0' }),
    }),
    query: z.object({
      download: z
        .enum(['0', '1', ''])
        .optional()
        .describe('`1`: to be saved; otherwise browsers show pictures, films and sounds.'),
    }),
    headers: rangeHeaders,
    answers: fileAnswers,
    refusals: ['not_found', 'range_not_satisfiable', 'unavailable'],
  },
  {
    method: 'get',
    path: `${path}/archive`,
    operationId: 'getLinkedArchive',
    tag,
    summary: 'All results of a link in one file',
    pathParameters: linkPath,
    answers: { 200: archive },
    refusals: ['not_found', 'unavailable'],
  },
];
