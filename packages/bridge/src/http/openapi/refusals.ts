import { compatDetailSchema, v2ErrorSchema } from '@comfy-bridge/protocol';
import type { ErrorCode } from '@comfy-bridge/protocol';
import { z } from 'zod';

import { errorTable } from '../../errors.ts';
import { ruleOfOperation } from '../access-rules.ts';
import { json } from './operation.ts';
import type { Answer, Operation } from './operation.ts';

/** What each refusal means, for people. */
export const refusalWords: Readonly<Record<ErrorCode, string>> = {
  bad_request: 'something of the request is wrong: the message says what',
  unknown_workflow: 'no workflow of that name is published',
  invalid_input: 'inputs are wrong: the message names each',
  job_unfinished: 'the job has not ended yet',
  job_failed: 'the job failed or was interrupted',
  run_failed: 'the job that was waited for failed or was canceled',
  unknown_client: 'there is no job of that clientId',
  file_refused: 'a file is not of an allowed type, damaged, or too large',
  unauthorized: 'credentials are missing or wrong',
  forbidden: 'this is not open to the caller',
  not_found: 'there is no such thing (any more)',
  conflict: 'that does not go with how things stand',
  too_large: 'the request body is too large',
  limited: 'too much at once',
  queue_full: 'so many jobs wait that no more are taken',
  no_backend: 'no ComfyUI is there to take it',
  no_capable_backend: 'no ComfyUI of the fleet can run it',
  unavailable: 'something that it takes does not answer, or nothing can be kept, at the moment',
  draining: 'the bridge is shutting down',
  storage_full: 'the disk, or what the bridge may use of it, is full',
  invalid_workflow: 'the workflow cannot run as it is: the message and the details say why',
  workflow_format_ui: "the graph is in the editor's format; the API format is needed",
  missing_asset: 'an asset that is referred to is not there, or not yours',
  hash_mismatch: 'the content has another hash than was said',
  blob_not_found: 'there is no such content that the caller may use',
  idempotency_key_reuse: 'the Idempotency-Key was used before',
  asset_in_use: 'something still needs the asset',
  range_not_satisfiable: 'the file has no such bytes',
  too_many_streams: 'so many event streams are open that no more are',
  internal: 'a mistake of the bridge; the message holds an id for its operator',
};

type Dialect = 'compat' | 'bridge' | 'v2';

function dialectOf(path: string): Dialect {
  if (path.startsWith('/api/v2/')) return 'v2';
  return path.startsWith('/api/') ? 'bridge' : 'compat';
}

/** The refusals of an operation as answers: one for each status that they have in the words of its path. */
export function describeRefusals({
  path,
  method,
  refusals = [],
  pathParameters,
}: Operation): Map<number, Answer> {
  const dialect = dialectOf(path);
  const possible = new Set<ErrorCode>([...refusals, 'internal']);
  const rule = ruleOfOperation(method, path);
  // Of everybody, where keys are required; and who comes too often is refused everywhere.
  if (rule !== 'public') possible.add('unauthorized');
  possible.add('limited');
  if (rule === 'author' || rule === 'operator') possible.add('forbidden');
  // A part of the path that cannot be decoded.
  if (pathParameters !== undefined) possible.add(dialect === 'v2' ? 'not_found' : 'bad_request');
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of possible) {
    const status = dialect === 'v2' ? errorTable[code].v2[0] : errorTable[code].status;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return new Map(
    [...byStatus].map(([status, codes]) => [status, toAnswer(codes, dialect, method === 'head')]),
  );
}

function toAnswer(codes: readonly ErrorCode[], dialect: Dialect, isHead: boolean): Answer {
  const isRetryable = codes.some((code) => errorTable[code].retryable);
  const headers = {
    ...(isRetryable && {
      'Retry-After': z.int().nonnegative().optional().describe('Seconds to wait before trying again.'),
    }),
    ...(codes.includes('limited') && {
      RateLimit: z.string().optional().describe('What is left of the quota.'),
      'RateLimit-Policy': z.string().optional().describe('The quota.'),
    }),
    ...(codes.includes('unauthorized') && { 'WWW-Authenticate': z.string().optional() }),
  };
  return {
    description: describeCodes(codes, dialect),
    ...(!isHead && { content: json(dialect === 'compat' ? compatDetailSchema : v2ErrorSchema) }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

/** Codes that are one to the caller are told once. */
function describeCodes(codes: readonly ErrorCode[], dialect: Dialect): string {
  if (dialect === 'compat') return `${codes.map((code) => refusalWords[code]).join('; or ')}.`;
  const words = new Map<string, string[]>();
  for (const code of codes) {
    const name = dialect === 'v2' ? errorTable[code].v2[1] : code;
    words.set(name, [...(words.get(name) ?? []), refusalWords[code]]);
  }
  return `${[...words].map(([name, meanings]) => `\`${name}\`: ${meanings.join('; or ')}`).join('. ')}.`;
}
