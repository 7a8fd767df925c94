import type { Field } from './form-model.ts';
import { takeValues } from './form-values.ts';
import type { FormValues, ReadyFile } from './form-values.ts';

/** What a reload of the page must not lose: everything but the bytes of files, which the bridge has. */
interface Draft {
  values: Record<string, string | boolean>;
  random: Record<string, boolean>;
  files: Record<string, Omit<ReadyFile, 'kind'>>;
}

const prefix = 'comfy-bridge.draft.';

export function toDraft({ values, random, files }: FormValues): string {
  const ready = Object.entries(files).flatMap(([name, file]) =>
    file.kind === 'ready'
      ? [[name, { ref: file.ref, name: file.name, size: file.size, contentType: file.contentType }] as const]
      : [],
  );
  const draft: Draft = { values, random, files: Object.fromEntries(ready) };
  return JSON.stringify(draft);
}

/** Puts a draft into the form. One that cannot be read is passed over. */
export function takeDraft(fields: readonly Field[], form: FormValues, text: string): void {
  const draft = parseDraft(text);
  if (draft === undefined) return;
  takeValues(fields, form, draft.values ?? {});
  for (const field of fields) {
    const file = draft.files?.[field.name];
    const isFile = typeof file?.ref === 'string' && typeof file.name === 'string';
    if (field.kind === 'file' && isFile) form.files[field.name] = { ...file, kind: 'ready' };
    if (field.kind === 'seed') form.random[field.name] = draft.random?.[field.name] !== false;
  }
}

function parseDraft(text: string): Partial<Draft> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? found : undefined;
  } catch {
    return undefined;
  }
}

export function readDraft(alias: string): string | undefined {
  try {
    return sessionStorage.getItem(prefix + alias) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Undefined forgets it. */
export function keepDraft(alias: string, draft: string | undefined): void {
  try {
    if (draft === undefined) sessionStorage.removeItem(prefix + alias);
    else sessionStorage.setItem(prefix + alias, draft);
  } catch {
    // Storage is off, or full: the form holds until the page is closed.
  }
}
