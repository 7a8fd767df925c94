import type { InputValue } from '@comfy-bridge/protocol';
import { matchOption, type InputSpec } from './input-spec.ts';
import { quote } from '../quote.ts';

const maxTextBytes = 1_048_576;
const maxListedOptions = 20;

type CheckedValue = { ok: true; value: InputValue } | { ok: false; message: string };

/**
 * Checks a caller's value against what its input allows, and brings it into the form that ComfyUI gets. Web forms send
 * everything as text: exactly a number, `true` or `false` as text is taken for one where one is needed. Nothing else is
 * converted; a `float` takes whole numbers too.
 */
export function checkValue(value: unknown, spec: InputSpec): CheckedValue {
  const typed = toType(value, spec);
  if (!typed.ok) return wrong(`must be ${describeAllowed(spec)}, not ${describeReceived(value)}`);
  if (typeof typed.value === 'string') {
    const bad = badText(typed.value);
    if (bad !== undefined) return wrong(bad);
  }
  if (spec.options !== undefined) {
    const option = matchOption(spec.options, typed.value);
    return option !== undefined
      ? { ok: true, value: option }
      : wrong(`must be ${describeAllowed(spec)}, not ${describeReceived(value)}`);
  }
  if (!isWithin(typed.value, spec))
    return wrong(`must be ${describeAllowed(spec)}, not ${describeReceived(value)}`);
  return typed;
}

function isWithin(value: InputValue, { min, max }: InputSpec): boolean {
  if (typeof value !== 'number' && typeof value !== 'bigint') return true;
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

function wrong(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

const notOfThatType = wrong('');

function toType(value: unknown, { type }: InputSpec): CheckedValue {
  switch (type) {
    case 'int':
      return toInt(value);
    case 'float':
      return toFloat(value);
    case 'bool':
      if (value === 'true' || value === 'false') return { ok: true, value: value === 'true' };
      return typeof value === 'boolean' ? { ok: true, value } : notOfThatType;
    case 'str':
      return typeof value === 'string' ? { ok: true, value } : notOfThatType;
  }
}

function toInt(value: unknown): CheckedValue {
  if (typeof value === 'bigint') return { ok: true, value: shortest(value) };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { ok: true, value: shortest(BigInt(value)) } : notOfThatType;
  // The length bound keeps a long row of digits from becoming a costly conversion.
  if (typeof value === 'string' && /^-?\d{1,40}$/.test(value))
    return { ok: true, value: shortest(BigInt(value)) };
  return notOfThatType;
}

function toFloat(value: unknown): CheckedValue {
  const isNumeric = typeof value === 'string' && /^-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?$/.test(value);
  if (typeof value !== 'number' && typeof value !== 'bigint' && !isNumeric) return notOfThatType;
  const number = Number(value);
  return Number.isFinite(number) ? { ok: true, value: number } : notOfThatType;
}

function shortest(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value ? Number(value) : value;
}

function badText(text: string): string | undefined {
  if (text.includes('\0')) return 'must not hold a NUL character';
  if (!text.isWellFormed()) return 'is not valid Unicode text';
  if (Buffer.byteLength(text) > maxTextBytes) return `must not be longer than ${maxTextBytes} bytes`;
  return undefined;
}

/** "a whole number from 0 to 20", "one of a, b". */
function describeAllowed({ type, options, min, max }: InputSpec): string {
  if (options !== undefined) {
    const listed = options
      .slice(0, maxListedOptions)
      .map((option) => `"${option}"`)
      .join(', ');
    const more = options.length - maxListedOptions;
    return `one of ${listed}${more > 0 ? ` (and ${more} more)` : ''}`;
  }
  const range = describeRange(min, max);
  switch (type) {
    case 'int':
      return `a whole number${range}`;
    case 'float':
      return `a number${range}`;
    case 'bool':
      return 'true or false';
    case 'str':
      return 'text';
  }
}

function describeRange(min: InputSpec['min'], max: InputSpec['max']): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

/** A caller's value as it may be said back: short, and on one line. */
function describeReceived(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value).slice(0, 60);
  return 'an object';
}
