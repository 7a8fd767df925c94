import type { Field, NumberField, SeedField } from './form-model.ts';
import type { FileState, FormValues } from './form-values.ts';
import { normalizeNumber } from './normalize-number.ts';

/** What is wrong with a value; the words for it are the view's. */
export type Problem =
  | { code: 'missing' | 'not-a-number' | 'not-whole' | 'too-long' | 'bad-text' | 'not-an-option' }
  | { code: 'too-small' | 'too-large'; limit: string }
  | { code: 'between-steps'; below: string; above: string }
  | { code: 'uploading' | 'upload-failed' | 'file-missing' };

/** Bytes of UTF-8 that the bridge takes as one text. */
const maxTextBytes = 1_048_576;

/** What is wrong with the form, by the names of the fields: as the bridge would say, before it is asked. */
export function checkForm(fields: readonly Field[], values: FormValues): ReadonlyMap<string, Problem> {
  const problems = new Map<string, Problem>();
  for (const field of fields) {
    const problem = checkField(field, values);
    if (problem !== undefined) problems.set(field.name, problem);
  }
  return problems;
}

export function checkField(field: Field, { values, files, random }: FormValues): Problem | undefined {
  if (field.kind === 'file') return checkFile(files[field.name], field.isRequired);
  if (field.kind === 'switch') return undefined;
  if (field.kind === 'seed' && random[field.name] === true) return undefined;
  const text = String(values[field.name] ?? '');
  // The author's own value is always taken, even one beyond the limits.
  if (text !== '' && text === field.default) return undefined;
  switch (field.kind) {
    case 'text':
      return checkText(text, field.isRequired || field.mustNotBeEmpty);
    case 'choice':
      if (text === '') return field.isRequired ? { code: 'missing' } : undefined;
      return field.options.some((option) => option.text === text) ? undefined : { code: 'not-an-option' };
    case 'number':
    case 'seed':
      return checkNumber(text, field);
  }
}

function checkFile(file: FileState | undefined, isRequired: boolean): Problem | undefined {
  switch (file?.kind) {
    case undefined:
      return isRequired ? { code: 'file-missing' } : undefined;
    case 'uploading':
      return { code: 'uploading' };
    case 'failed':
      return { code: 'upload-failed' };
    case 'ready':
      return undefined;
  }
}

function checkText(text: string, mustNotBeEmpty: boolean): Problem | undefined {
  if (text === '') return mustNotBeEmpty ? { code: 'missing' } : undefined;
  if (text.includes('\0') || !text.isWellFormed()) return { code: 'bad-text' };
  const isLong = text.length > maxTextBytes || new TextEncoder().encode(text).length > maxTextBytes;
  return isLong ? { code: 'too-long' } : undefined;
}

function checkNumber(text: string, field: NumberField | SeedField): Problem | undefined {
  // Empty is the author's value; without one there is nothing to send.
  if (text.trim() === '') return field.isRequired || field.kind === 'seed' ? { code: 'missing' } : undefined;
  const isInteger = field.kind === 'seed' || field.isInteger;
  const number = normalizeNumber(text);
  if (number === undefined) return { code: 'not-a-number' };
  if (!isInteger) return checkRange(Number(number), field, Number);
  if (!/^-?\d+$/.test(number)) return { code: 'not-whole' };
  const whole = BigInt(number);
  const outside = checkRange(whole, field, BigInt);
  if (outside !== undefined || field.kind === 'seed' || field.multipleOf === undefined) return outside;
  const step = BigInt(field.multipleOf);
  if (whole % step === 0n) return undefined;
  const below = whole - (((whole % step) + step) % step);
  return { code: 'between-steps', below: String(below), above: String(below + step) };
}

function checkRange<N extends number | bigint>(
  value: N,
  { min, max }: { min: string | undefined; max: string | undefined },
  toNumber: (text: string) => N,
): Problem | undefined {
  if (min !== undefined && value < toNumber(min)) return { code: 'too-small', limit: min };
  if (max !== undefined && value > toNumber(max)) return { code: 'too-large', limit: max };
  return undefined;
}
