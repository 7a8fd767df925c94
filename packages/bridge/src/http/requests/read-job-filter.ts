import { jobStatusSchema } from '@comfy-bridge/protocol';
import type { Request } from 'express';
import { z } from 'zod';

import { BridgeError } from '../../errors.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import type { JobFilter } from '../../jobs/job-store.ts';
import { optionalClientId } from './client-id.ts';
import { mayAs, mayTouch } from './identity.ts';
import { accountOf } from './owner-of.ts';

const defaultLimit = 50;
const maxLimit = 200;
/** Of a text that is looked for, and of the name of a backend. */
const maxLength = 200;

const timeSchema = z.iso.datetime({ offset: true });

/** Whether the caller asks for what is its own. */
export function wantsOwn(request: Request): boolean {
  const { owner } = request.query;
  if (owner === undefined || owner === '') return false;
  if (owner === 'me') return true;
  throw new BridgeError('bad_request', 'owner can only be me');
}

export function readLimit(request: Request): number {
  const { limit } = request.query;
  if (limit === undefined) return defaultLimit;
  const value = Number(limit);
  if (!Number.isInteger(value) || value < 1 || value > maxLimit) {
    throw new BridgeError('bad_request', `limit is a whole number from 1 to ${maxLimit}`);
  }
  return value;
}

/** Which jobs the query asks for; with a key, its own alone, whatever it asks for. */
export async function readJobFilter(
  request: Request,
  ledger: Pick<JobLedger, 'get'>,
): Promise<Omit<JobFilter, 'limit'>> {
  const { status, after } = request.query;
  const clientId = optionalClientId(request);
  const account = wantsOwn(request) || mayAs(request, 'operator') === false ? accountOf(request) : undefined;
  const statuses =
    typeof status === 'string' && status !== '' ? status.split(',').map(readStatus) : undefined;
  const last = typeof after === 'string' && after !== '' ? await ledger.get(parseJobId(after)) : undefined;
  if (after !== undefined && (last === undefined || !mayTouch(request, last.account)))
    throw new BridgeError('bad_request', 'after is the `next` of a page before');
  const [workflow, backend, text] = [
    readText(request, 'workflow'),
    readText(request, 'backend'),
    readText(request, 'q'),
  ];
  const [since, until] = [readTime(request, 'since'), readTime(request, 'until')];
  return {
    ...(clientId !== undefined && { clientId: clientId.kept }),
    ...(account !== undefined && { account }),
    ...(statuses !== undefined && { statuses }),
    ...(workflow !== undefined && { workflow }),
    ...(backend !== undefined && { backend }),
    ...(text !== undefined && { text: text.toLowerCase() }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(last !== undefined && { before: { createdAt: last.createdAt, id: last.id } }),
  };
}

function readText({ query }: Request, name: string): string | undefined {
  const value = query[name];
  if (typeof value !== 'string' || value === '') return undefined;
  if (value.length <= maxLength) return value;
  throw new BridgeError('bad_request', `${name} may have ${maxLength} characters`);
}

function readTime({ query }: Request, name: string): number | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  const parsed = timeSchema.safeParse(value);
  if (parsed.success) return Date.parse(parsed.data);
  throw new BridgeError('bad_request', `${name} is a time as in 2026-01-31T08:00:00Z`);
}

function readStatus(value: string) {
  const parsed = jobStatusSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BridgeError(
    'bad_request',
    `status is one or more of ${jobStatusSchema.options.join(', ')}, with commas`,
  );
}
