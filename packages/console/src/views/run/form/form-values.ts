import type { Field } from './form-model.ts';
import { normalizeNumber } from './normalize-number.ts';
import { randomSeed } from './seed.ts';

/** A file that was given to a field. Without a state the field has none, and the author's sample counts. */
export type FileState =
  | {
      kind: 'uploading';
      name: string;
      size: number;
      contentType: string;
      /** 0 to 1 */
      share: number;
    }
  | {
      kind: 'failed';
      name: string;
      size: number;
      contentType: string;
      /** The bridge's own words; empty when the line was lost. */
      message: string;
      canGoOn: boolean;
    }
  | ReadyFile;

export interface ReadyFile {
  kind: 'ready';
  /** What is sent for it: the id of an asset, or the saved name of an upload. */
  ref: string;
  name: string;
  /** Null where it is not known. */
  size: number | null;
  contentType: string;
}

/** All that a person has put into a form, by the names of its fields. */
export interface FormValues {
  /** Numbers and seeds as they were typed. */
  values: Record<string, string | boolean>;
  files: Record<string, FileState>;
  /** Seeds that are drawn anew for each job. */
  random: Record<string, boolean>;
}

/** The form as the author left it. Seeds are drawn: who presses the button twice wants two pictures. */
export function defaultValues(fields: readonly Field[]): FormValues {
  const made: FormValues = { values: {}, files: {}, random: {} };
  for (const field of fields) {
    if (field.kind === 'file') continue;
    made.values[field.name] = field.default;
    if (field.kind === 'seed') made.random[field.name] = true;
  }
  return made;
}

/** New seeds where they are wanted; the form then shows what was sent. */
export function drawSeeds(fields: readonly Field[], { values, random }: FormValues): void {
  for (const field of fields)
    if (field.kind === 'seed' && random[field.name] === true) values[field.name] = randomSeed(field);
}

/** The `inputs` of a job. What is left out keeps the author's value. The form must be free of problems. */
export function toInputs(
  fields: readonly Field[],
  { values, files }: Pick<FormValues, 'values' | 'files'>,
): Record<string, unknown> {
  const inputs: Record<string, unknown> = {};
  for (const field of fields) {
    const sent = toSent(field, values[field.name], files[field.name]);
    if (sent !== undefined) inputs[field.name] = sent;
  }
  return inputs;
}

function toSent(field: Field, value: string | boolean | undefined, file: FileState | undefined): unknown {
  switch (field.kind) {
    case 'file':
      return file?.kind === 'ready' ? file.ref : undefined;
    case 'switch':
      return value === true;
    case 'text':
      return value;
    case 'choice':
      return field.options.find(({ text }) => text === value)?.value;
    case 'number':
    case 'seed': {
      const text = normalizeNumber(String(value ?? ''));
      if (text === undefined) return undefined;
      const number = Number(text);
      // Beyond 2⁵³ the digits go as text.
      return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number;
    }
  }
}

/** Puts values that came from elsewhere (a job, a link, a draft) into the form; unknown names are passed over. */
export function takeValues(
  fields: readonly Field[],
  form: FormValues,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const field of fields) {
    const value = given[field.name];
    const isUsable = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (field.kind === 'file' || !isUsable) continue;
    if (field.kind === 'switch') form.values[field.name] = value === true || value === 'true';
    else form.values[field.name] = String(value);
    if (field.kind === 'seed') form.random[field.name] = false;
  }
}
