import type { Key, Role } from '@comfy-bridge/protocol';

export type LimitName = keyof Key['limits'];
export const limitNames = [
  'requests_per_minute',
  'unfinished_jobs',
  'stored_bytes',
  'upload_bytes',
] as const satisfies readonly LimitName[];

/** What a form about a key holds; numbers as they are typed. */
export interface KeyForm {
  name: string;
  role: Role;
  /** Days from now; empty: for good; `keep`: as it is. */
  days: string;
  workflows: string;
  limits: Record<LimitName, string>;
}

export function emptyForm(): KeyForm {
  return {
    name: '',
    role: 'client',
    days: '90',
    workflows: '',
    limits: { requests_per_minute: '', unfinished_jobs: '', stored_bytes: '', upload_bytes: '' },
  };
}

export function formOf({ name, role, workflows, limits }: Key): KeyForm {
  const text = (limit: LimitName) => (limits[limit] === null ? '' : String(limits[limit]));
  return {
    name,
    role,
    days: 'keep',
    workflows: workflows?.join(', ') ?? '',
    limits: {
      requests_per_minute: text('requests_per_minute'),
      unfinished_jobs: text('unfinished_jobs'),
      stored_bytes: text('stored_bytes'),
      upload_bytes: text('upload_bytes'),
    },
  };
}

/** The body of `POST /api/bridge/keys` (`isNew`) or of `PATCH …/{id}`, where null takes an end or a scope away. */
export function toBody(
  { name, role, days, workflows, limits }: KeyForm,
  isNew: boolean,
): Record<string, unknown> {
  const aliases = workflows
    .split(',')
    .map((alias) => alias.trim())
    .filter((alias) => alias !== '');
  const scope = aliases.length > 0 ? { workflows: aliases } : isNew ? {} : { workflows: null };
  const end =
    days === 'keep'
      ? {}
      : days === ''
        ? isNew
          ? {}
          : { expires_in: null }
        : { expires_in: Number(days) * 86_400 };
  const own = Object.fromEntries(
    limitNames.map((limit) => [limit, limits[limit] === '' ? null : Number(limits[limit])]),
  );
  return { name: name.trim(), role, ...end, ...scope, limits: own };
}
