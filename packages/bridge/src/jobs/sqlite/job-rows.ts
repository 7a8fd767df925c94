import { parseLossless, stringifyLossless } from '../../lib/lossless-json.ts';
import type { Job, JobId } from '../job.ts';
import type { SqlRow } from './messages.ts';

/** Columns that the functions here write and read, in one order. */
export const jobColumns = 'id, client_id, workflow, created_at, request, attempt, finished_at, state';

type Request = Pick<Job, 'prompt' | 'stagedInputs' | 'outputNodes'>;
type Columns = Pick<Job, 'id' | 'clientId' | 'workflow' | 'createdAt' | 'attempt' | 'finishedAt'>;
/** What has a place of its own in the row. */
const elsewhere = new Set<string>([
  ...(['prompt', 'stagedInputs', 'outputNodes'] satisfies (keyof Request)[]),
  ...(['id', 'clientId', 'workflow', 'createdAt', 'attempt', 'finishedAt'] satisfies (keyof Columns)[]),
]);

/** Everything else, also what is added to a job later: one JSON text, written anew with every change. */
type State = Omit<Job, keyof Request | keyof Columns>;

/**
 * What a row written before a field existed has in its place. A field added to `Job` gets its line here, and nothing else
 * in the store changes.
 */
const absent: Omit<State, 'state'> = {
  leaseMs: null,
  owner: null,
  account: null,
  hedge: null,
  priority: 0,
  previews: false,
  hasCredentials: false,
  attempts: [],
  revision: 0,
  excluded: [],
  startedAt: null,
  deliveredAt: null,
};

/** The part that is written once. */
export function toRequestText({ prompt, stagedInputs, outputNodes }: Job): string {
  return stringifyLossless({ prompt, stagedInputs, outputNodes } satisfies Request);
}

export function toStateText(job: Job): string {
  return stringifyLossless(
    Object.fromEntries(Object.entries(job).filter(([field]) => !elsewhere.has(field))),
  );
}

/** Rows are ours: written by this or an older version, so their shape is trusted after the parse. */
export function parseRow(row: SqlRow): Job {
  const request = parseLossless(String(row['request'])) as Request;
  const state = parseLossless(String(row['state'])) as Partial<State> & Pick<State, 'state'>;
  return {
    ...absent,
    ...request,
    ...state,
    id: row['id'] as JobId,
    clientId: row['client_id'] as string | null,
    workflow: String(row['workflow']),
    createdAt: Number(row['created_at']),
    attempt: Number(row['attempt']),
    finishedAt: row['finished_at'] === null ? null : Number(row['finished_at']),
  };
}
