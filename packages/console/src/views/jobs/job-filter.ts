import type { BridgeJob, JobStatus } from '@comfy-bridge/protocol';

export const statuses = [
  'queued',
  'running',
  'canceling',
  'succeeded',
  'failed',
  'canceled',
  'expired',
] as const satisfies readonly JobStatus[];

export const spans = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000 } as const;
export type Span = keyof typeof spans;
export const spanNames = ['1h', '24h', '7d'] as const satisfies readonly Span[];

/** Which jobs are looked for. Kept in the URL, so that a list can be bookmarked and handed on. */
export interface JobFilter {
  status: readonly JobStatus[];
  workflow: string;
  backend: string;
  /** Part of an id, of a client id or of a workflow. */
  q: string;
  /** The last hours, counted from now; instead of `since`. */
  last: Span | undefined;
  /** ISO times. */
  since: string;
  until: string;
}

export const noFilter: JobFilter = {
  status: [],
  workflow: '',
  backend: '',
  q: '',
  last: undefined,
  since: '',
  until: '',
};

type Query = Readonly<Record<string, unknown>>;

/** What is not understood is left out. */
export function filterOf(query: Query): JobFilter {
  const wanted = new Set(textOf(query, 'status').split(','));
  const last = textOf(query, 'last');
  return {
    status: statuses.filter((status) => wanted.has(status)),
    workflow: textOf(query, 'workflow'),
    backend: textOf(query, 'backend'),
    q: textOf(query, 'q'),
    last: spanNames.find((span) => span === last),
    since: timeOf(query, 'since'),
    until: timeOf(query, 'until'),
  };
}

/** The query of the page's URL, without what says nothing. */
export function queryOf(filter: JobFilter): Record<string, string> {
  const { status, last, since, ...rest } = filter;
  const all = { status: status.join(','), ...rest, last: last ?? '', since: last === undefined ? since : '' };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

export const pageSize = 50;

/** The path of the call. `after`: the last job of the page before. */
export function pathOf(filter: JobFilter, after: string, now: number): string {
  const { last, ...rest } = filter;
  const query = new URLSearchParams(queryOf({ ...rest, last: undefined }));
  if (last !== undefined) query.set('since', new Date(now - spans[last]).toISOString());
  if (after !== '') query.set('after', after);
  query.set('limit', String(pageSize));
  return `api/bridge/jobs?${query}`;
}

/** Whether a job that an event told of belongs into the list. */
export function matches(job: BridgeJob, filter: JobFilter, now: number): boolean {
  const { status, workflow, backend, last, until } = filter;
  const since = last === undefined ? filter.since : new Date(now - spans[last]).toISOString();
  const text = filter.q.toLowerCase();
  const searched = [job.id, job.client_id ?? '', job.workflow];
  return (
    (status.length === 0 || status.includes(job.status)) &&
    (workflow === '' || job.workflow === workflow) &&
    (backend === '' || job.attempts.some((attempt) => attempt.backend === backend)) &&
    (since === '' || job.created_at >= since) &&
    (until === '' || job.created_at <= until) &&
    (text === '' || searched.some((part) => part.toLowerCase().includes(text)))
  );
}

function textOf(query: Query, name: string): string {
  const value = query[name];
  return typeof value === 'string' ? value : '';
}

function timeOf(query: Query, name: string): string {
  const time = Date.parse(textOf(query, name));
  return Number.isNaN(time) ? '' : new Date(time).toISOString();
}

/** For a field of type `datetime-local`, which knows no zones: the time as the clock on the wall shows it. */
export function toLocalField(iso: string): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return '';
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromLocalField(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? '' : new Date(time).toISOString();
}
