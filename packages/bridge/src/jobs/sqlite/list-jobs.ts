import type { JobFilter } from '../job-store.ts';
import { jobColumns } from './job-rows.ts';
import type { SqlStatement, SqlValue } from './messages.ts';

interface Condition {
  sql: string;
  values: readonly SqlValue[];
}

/**
 * The query for one page, always along one index in the order of the page, so that it reads little more than it gives. A
 * `+` before a column keeps SQLite from choosing that column's index instead. Without a client or a workflow each status
 * gives its own newest ones first, for an index serves only one status in order.
 */
export function listJobs({
  clientId,
  account,
  workflow,
  statuses,
  before,
  limit,
  ...rest
}: JobFilter): SqlStatement {
  const page = [...(before === undefined ? [] : [isBefore(before)]), ...narrow(rest)];
  const named = [
    ...(clientId === undefined ? [] : [['client_id', clientId] as const]),
    ...(account === undefined ? [] : [['account', account] as const]),
    ...(workflow === undefined ? [] : [['workflow', workflow] as const]),
  ];
  if (named.length > 0) {
    return select(
      [
        ...named.map(([column, value], index) => equals(index === 0 ? column : `+${column}`, value)),
        ...(statuses === undefined ? [] : [isOneOf('+status', statuses)]),
        ...page,
      ],
      limit,
    );
  }
  if (statuses === undefined) return select(page, limit);
  const newest = statuses.map((status) => newestOf([equals('status', status), ...page], limit));
  return select([anyOf(newest)], limit);
}

/** Times are found along the index; the others are looked for in one job after the other, from the newest on. */
function narrow({ since, until, backend, text }: Omit<JobFilter, 'limit'>): Condition[] {
  return [
    ...(since === undefined ? [] : [{ sql: 'created_at >= ?', values: [since] }]),
    ...(until === undefined ? [] : [{ sql: 'created_at < ?', values: [until] }]),
    ...(backend === undefined ? [] : [ranOn(backend)]),
    ...(text === undefined ? [] : [holds(text)]),
  ];
}

/** Its runs stand in the state, as JSON: a quote within a text has a backslash there, so that this is always a field. */
function ranOn(backend: string): Condition {
  return { sql: 'instr(state, ?) > 0', values: [`"backend":${JSON.stringify(backend)}`] };
}

function holds(text: string): Condition {
  const columns = ['id', 'lower(workflow)', "lower(coalesce(client_id, ''))"];
  return {
    sql: `(${columns.map((column) => `instr(${column}, ?) > 0`).join(' OR ')})`,
    values: columns.map(() => text),
  };
}

function select(conditions: readonly Condition[], limit: number): SqlStatement {
  return newestOf(conditions, limit, jobColumns);
}

function newestOf(conditions: readonly Condition[], limit: number, columns = 'seq'): SqlStatement {
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  return {
    sql: `SELECT ${columns} FROM jobs${where} ORDER BY created_at DESC, seq DESC LIMIT ?`,
    values: [...conditions.flatMap(({ values }) => values), limit],
  };
}

function equals(column: string, value: string): Condition {
  return { sql: `${column} = ?`, values: [value] };
}

function isOneOf(column: string, values: readonly string[]): Condition {
  return { sql: `${column} IN (${values.map(() => '?').join(', ')})`, values };
}

function anyOf(branches: readonly SqlStatement[]): Condition {
  if (branches.length === 0) return { sql: 'FALSE', values: [] };
  return {
    sql: `seq IN (${branches.map(({ sql }) => `SELECT seq FROM (${sql})`).join(' UNION ALL ')})`,
    values: branches.flatMap(({ values }) => values),
  };
}

/** (createdAt, seq) never changes and is never given twice. Of a job that is gone only the time is known. */
function isBefore({ createdAt, id }: NonNullable<JobFilter['before']>): Condition {
  return {
    sql: '(created_at, seq) < (?, coalesce((SELECT seq FROM jobs WHERE id = ?), 9223372036854775807))',
    values: [createdAt, id],
  };
}
