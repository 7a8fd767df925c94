import type { FleetBackend } from './fleet-backend.ts';

/** What somebody enters of a backend, as it stands in the fields. */
export interface BackendForm {
  address: string;
  name: string;
  token: string;
  /** Of one that has a token: none from now on. */
  dropsToken: boolean;
  pin: string;
  tags: string;
  weight: string;
  isLimited: boolean;
  workflows: string[];
  mode: FleetBackend['mode'];
}

export type FormProblem =
  | 'address-missing'
  | 'name-form'
  | 'token-form'
  | 'pin-form'
  | 'pin-needs-tls'
  | 'tags-form'
  | 'weight-form'
  | 'workflows-none';

export type FormProblems = Partial<Record<keyof BackendForm, FormProblem>>;

export function emptyForm(): BackendForm {
  return {
    address: '',
    name: '',
    token: '',
    dropsToken: false,
    pin: '',
    tags: '',
    weight: '1',
    isLimited: false,
    workflows: [],
    mode: 'active',
  };
}

export function formOf({ name, tags, weight, workflows, mode }: FleetBackend): BackendForm {
  return {
    ...emptyForm(),
    name,
    tags: tags.join(', '),
    weight: String(weight),
    isLimited: workflows !== null,
    workflows: [...(workflows ?? [])],
    mode,
  };
}

export function splitTags(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((tag) => tag !== ''))];
}

/** What can be said without asking the bridge, which has the last word. `isNew`: address and name are asked for. */
export function checkForm(form: BackendForm, isNew: boolean): FormProblems {
  const problems: FormProblems = {};
  const [address, name, token, pin] = [form.address, form.name, form.token, form.pin].map((text) =>
    text.trim(),
  );
  if (isNew && address === '') problems.address = 'address-missing';
  if (name !== '' && !/^[A-Za-z0-9._-]{1,64}$/.test(name ?? '')) problems.name = 'name-form';
  if (token !== '' && !/^[\x21-\x7e]{1,512}$/.test(token ?? '')) problems.token = 'token-form';
  if (pin !== '') {
    if (!/^sha256:[A-Za-z0-9+/]{43}=$/.test(pin ?? '')) problems.pin = 'pin-form';
    else if (isNew && address?.startsWith('https://') !== true) problems.pin = 'pin-needs-tls';
  }
  if (splitTags(form.tags).some((tag) => !/^[A-Za-z0-9._-]{1,64}$/.test(tag))) problems.tags = 'tags-form';
  const weight = toWeight(form.weight);
  if (!(weight >= 0.01 && weight <= 100)) problems.weight = 'weight-form';
  if (form.isLimited && form.workflows.length === 0) problems.workflows = 'workflows-none';
  return problems;
}

function toWeight(text: string): number {
  const trimmed = text.trim().replace(',', '.');
  return trimmed === '' ? Number.NaN : Number(trimmed);
}

/** The body of `POST /api/bridge/backends`. */
export function toNewBackend(form: BackendForm): Record<string, unknown> {
  const [name, token, pin] = [form.name, form.token, form.pin].map((text) => text.trim());
  return {
    url: form.address.trim(),
    ...(name !== '' && { name }),
    ...(token !== '' && { token }),
    ...(pin !== '' && { pin }),
    weight: toWeight(form.weight),
    tags: splitTags(form.tags),
    workflows: form.isLimited ? form.workflows : null,
    mode: form.mode,
  };
}

/** The body of a `PATCH`: only what differs; undefined when nothing does. */
export function toChange(form: BackendForm, backend: FleetBackend): Record<string, unknown> | undefined {
  const tags = splitTags(form.tags);
  const weight = toWeight(form.weight);
  const workflows = form.isLimited ? form.workflows : null;
  const [token, pin] = [form.token.trim(), form.pin.trim()];
  const change = {
    ...(weight !== backend.weight && { weight }),
    ...(!isSame(tags, backend.tags) && { tags }),
    ...(!isSame(workflows, backend.workflows) && { workflows }),
    ...(form.mode !== backend.mode && { mode: form.mode }),
    ...(pin !== '' && { pin }),
    ...(form.dropsToken ? { token: null } : token !== '' && { token }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

function isSame(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
