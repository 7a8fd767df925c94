import { healthSchema, readinessSchema } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Answer, Operation } from './operation.ts';

const tag = 'service';
const ready = { status: 'ready', backends: { ready: 2, all: 2 } };
const validators = z.object({
  'If-None-Match': z.string().optional().describe('The `ETag` that the caller has.'),
});
const etag = { ETag: z.string(), 'Cache-Control': z.string() };
const unchanged: Answer = { description: 'The caller has it as it is.', headers: etag };
const text = { schema: z.string() };

/** Health, and the document about everything. */
export const serviceOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/healthz',
    operationId: 'getHealth',
    tag,
    summary: 'The process answers',
    answers: { 200: { description: 'It does.', content: json(healthSchema) } },
  },
  {
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    tag,
    summary: 'It takes work, and at least one ComfyUI can do it',
    answers: {
      200: { description: 'It does.', content: json(readinessSchema, ready) },
      503: {
        description: 'It does not; `status` says why.',
        content: json(readinessSchema),
        headers: { 'Retry-After': z.int().nonnegative() },
      },
    },
  },
  {
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tag,
    summary: 'Figures for Prometheus',
    description:
      'In the text format of Prometheus. Open to operators, to the token of METRICS_TOKEN, and with METRICS=public to everybody.',
    access: 'operator',
    answers: { 200: { description: 'All figures.', content: { 'text/plain': text } } },
    refusals: ['unauthorized', 'forbidden', 'not_found'],
  },
  {
    method: 'get',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    tag,
    summary: 'This document',
    description: 'OpenAPI 3.1, with an operation for each published workflow.',
    query: z.object({
      workflows: z.enum(['all', 'none']).default('all').describe('`none`: without the published workflows.'),
    }),
    headers: validators,
    answers: {
      200: {
        description: 'The document.',
        content: json(z.looseObject({ openapi: z.string() })),
        headers: etag,
      },
      304: unchanged,
    },
    refusals: ['bad_request'],
  },
  {
    method: 'get',
    path: '/docs',
    operationId: 'getDocs',
    tag,
    summary: 'This document as a page',
    headers: validators,
    answers: {
      200: { description: 'The page.', content: { 'text/html': text }, headers: etag },
      304: unchanged,
      308: {
        description: 'With a slash at its end: go where there is none.',
        content: { 'text/plain': text },
      },
    },
  },
  {
    method: 'get',
    path: '/docs/{file}',
    operationId: 'getDocsFile',
    tag,
    summary: 'What the page is made of',
    pathParameters: z.object({ file: z.string().meta({ example: 'swagger-ui.css' }) }),
    headers: validators,
    answers: {
      200: {
        description: 'The file.',
        content: {
          'text/css': text,
          'text/javascript': text,
          'text/plain': text,
          ...bytes('image/png'),
        },
        headers: etag,
      },
      304: unchanged,
    },
    refusals: ['not_found'],
  },
];
