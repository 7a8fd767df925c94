import {
  addressedBackendSchema,
  backendGoneEventSchema,
  bridgeJobSchema,
  helloEventSchema,
  jobGoneEventSchema,
  jobPreviewEventSchema,
  jobProgressEventSchema,
  meSchema,
  queueEventSchema,
} from '@comfy-bridge/protocol';
import { z } from 'zod';

import { bytes, json } from './operation.ts';
import type { Operation } from './operation.ts';

const text = { schema: z.string() };
const cached = { ETag: z.string().optional(), 'Cache-Control': z.string() };
const conditions = z.object({
  'If-None-Match': z.string().optional().describe('The `ETag` that the caller has.'),
  'Accept-Encoding': z.string().optional().describe('`br` and `gzip` are there.'),
});

const pageEvents: Operation['events'] = {
  hello: {
    description:
      'The stream is open: now read the lists. A further one says that something was left out: read them again.',
    schema: helloEventSchema,
  },
  job: {
    description: 'A job as it is now, at each change of it and with each result.',
    schema: bridgeJobSchema,
  },
  progress: { description: 'At most four a second for each job.', schema: jobProgressEventSchema },
  preview: {
    description: 'Only with `previews=1`, and only of own jobs.',
    schema: jobPreviewEventSchema,
  },
  queue: {
    description: 'Of a job that waits: its place or its end has changed. At most one a second for each job.',
    schema: queueEventSchema,
  },
  gone: { description: 'A job was forgotten.', schema: jobGoneEventSchema },
  backend: {
    description: 'With `all=1`: a backend as it is now, at most two a second for each.',
    schema: addressedBackendSchema,
  },
  backend_gone: {
    description: 'With `all=1`: a backend has left the fleet.',
    schema: backendGoneEventSchema,
  },
};

const flag = z.enum(['0', '1', '']).optional();

/** The page of the bridge, and what it asks for beside what programs do. */
export const pageOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/',
    operationId: 'getPage',
    tag: 'service',
    summary: 'The page of the bridge',
    description: 'For everybody: it holds nothing of the bridge, and asks for a key where keys are required.',
    headers: conditions,
    answers: {
      200: {
        description: 'The page; where none was built, one that says so.',
        content: { 'text/html': text },
        headers: cached,
      },
      304: { description: 'The caller has it as it is.', headers: cached },
      308: {
        description: 'Without a slash behind the base path: go where there is one.',
        content: { 'text/plain': text, 'text/html': text },
      },
    },
  },
  {
    method: 'get',
    path: '/console/{file}',
    operationId: 'getPageFile',
    tag: 'service',
    summary: 'What the page is made of',
    pathParameters: z.object({ file: z.string().meta({ example: 'index.js' }) }),
    headers: conditions,
    answers: {
      200: {
        description: 'The file. Its name changes with its content.',
        content: {
          'text/javascript': text,
          'text/css': text,
          'image/svg+xml': text,
          'application/json': text,
          'application/manifest+json': text,
          ...bytes('image/png', 'image/vnd.microsoft.icon', 'font/woff2'),
        },
        headers: cached,
      },
      304: { description: 'The caller has it as it is.', headers: cached },
    },
    refusals: ['not_found'],
  },
  {
    method: 'get',
    path: '/api/bridge/me',
    operationId: 'getMe',
    tag: 'service',
    summary: 'Who the caller is here, and what it may do',
    answers: { 200: { description: 'The caller.', content: json(meSchema) } },
  },
  {
    method: 'get',
    path: '/api/bridge/events',
    operationId: 'followEverything',
    tag: 'jobs',
    summary: "All of one's jobs as they run (server-sent events)",
    description:
      "One stream for everything that a page shows: of own jobs, by the key or by a secret of one's own; with `all=1`, for operators, of everybody's jobs and of the fleet. Nothing is numbered or told again: connect, wait for `hello`, then read the lists.",
    query: z.object({
      all: flag.describe("`1`: everybody's jobs, and the fleet. For operators."),
      previews: flag.describe('`1`: pictures of own jobs as they are made.'),
      ticket: z.string().optional().describe('Where keys are required, in the place of one.'),
    }),
    answers: {
      200: {
        description: 'The stream; its events are in `x-sse-events`.',
        content: { 'text/event-stream': { schema: z.string() } },
      },
    },
    refusals: ['bad_request', 'unauthorized', 'forbidden', 'too_many_streams'],
    events: pageEvents,
  },
];
