import { resolve } from 'node:path';

import { isToken } from '../lib/server-address.ts';
import { accept, refuse } from './option.ts';
import type { Parser } from './option.ts';
import { createSecret } from './secret.ts';
import type { Secret } from './secret.ts';

interface Range {
  min: number;
  max: number;
}

export function wholeNumber(range: Range): Parser<number> {
  return number({ ...range, whole: true, factor: 1 });
}

/** Seconds, with fractions; the value is in ms. */
export function seconds(range: Range): Parser<number> {
  return number({ ...range, unit: 'seconds', factor: 1000 });
}

/** Seconds as above, or the word `keep`; that is infinity ms. */
export function secondsOrKeep(range: Range): Parser<number> {
  const plain = seconds(range);
  return {
    allowed: `${plain.allowed}, or keep`,
    parse: (raw, baseDir) =>
      typeof raw === 'string' && raw.trim().toLowerCase() === 'keep'
        ? accept(Number.POSITIVE_INFINITY)
        : plain.parse(raw, baseDir),
  };
}

/** Hours, with fractions; the value is in ms. */
export function hours(range: Range): Parser<number> {
  return number({ ...range, unit: 'hours', factor: 3_600_000 });
}

/** Gigabytes of 1024³ bytes, with fractions; the value is in bytes. */
export function gigabytes(range: Range): Parser<number> {
  return number({ ...range, unit: 'gigabytes', factor: 1024 ** 3 });
}

/** Megabytes of 1024 × 1024 bytes, with fractions; the value is in bytes. */
export function megabytes(range: Range): Parser<number> {
  return number({ ...range, unit: 'megabytes', factor: 1024 * 1024 });
}

/** Millions of pixels, with fractions; the value is in pixels. */
export function megapixels(range: Range): Parser<number> {
  return number({ ...range, unit: 'megapixels', factor: 1_000_000 });
}

function number(options: Range & { factor: number; whole?: boolean; unit?: string }): Parser<number> {
  const { min, max, factor, whole = false, unit } = options;
  const kind = whole ? 'a whole number' : 'a number';
  return {
    allowed: `${kind}${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`,
    parse(raw) {
      const value = toNumber(raw);
      if (value === undefined || value < min || value > max) return refuse();
      if (whole && !Number.isInteger(value)) return refuse();
      return accept(Math.round(value * factor));
    },
  };
}

/** A part of a whole, with fractions. */
export const share: Parser<number> = {
  allowed: 'a number from 0 to 1',
  parse(raw) {
    const value = toNumber(raw);
    return value === undefined || value < 0 || value > 1 ? refuse() : accept(value);
  },
};

/** Digits only, so that `0x10`, `1e3` and `Infinity` are no numbers here. */
export function toNumber(raw: unknown): number | undefined {
  if (typeof raw === 'number') return raw;
  if (typeof raw !== 'string') return undefined;
  return /^-?\d+(\.\d+)?$/.test(raw.trim()) ? Number(raw) : undefined;
}

export function choice<const T extends string>(...values: readonly T[]): Parser<T> {
  return {
    allowed: toAlternatives(values),
    parse(raw) {
      const wanted = typeof raw === 'string' ? raw.trim().toLowerCase() : undefined;
      const value = values.find((candidate) => candidate === wanted);
      return value === undefined ? refuse() : accept(value);
    },
  };
}

const spellings = new Map<unknown, boolean>([
  ...['true', 'on', 'yes', '1', true].map((text): [unknown, boolean] => [text, true]),
  ...['false', 'off', 'no', '0', false].map((text): [unknown, boolean] => [text, false]),
]);

export const onOff: Parser<boolean> = {
  allowed: 'on or off (or true, false)',
  parse(raw) {
    const value = spellings.get(typeof raw === 'string' ? raw.trim().toLowerCase() : raw);
    return value === undefined ? refuse() : accept(value);
  },
};

/** Absolute afterwards; a relative one counts from the folder of the file that names it. */
export const filePath: Parser<string> = {
  allowed: 'a path',
  parse(raw, baseDir) {
    if (typeof raw !== 'string' || raw.includes('\0')) return refuse();
    return accept(resolve(baseDir, raw.trim()));
  },
};

export const neverAlways: Parser<boolean> = {
  allowed: 'never or always',
  parse(raw) {
    const text = typeof raw === 'string' ? raw.trim().toLowerCase() : '';
    return text === 'never' || text === 'always' ? accept(text === 'always') : refuse();
  },
};

/** For everything, for nothing, or for what is named. */
export const onOffOrNames: Parser<boolean | readonly string[]> = {
  allowed: 'on, off, or a list of workflows such as text-to-image, upscale',
  parse(raw, baseDir) {
    const whole = onOff.parse(raw, baseDir);
    if (whole.ok) return whole;
    const items: unknown = typeof raw === 'string' ? raw.split(',') : raw;
    if (!Array.isArray(items) || !items.every(isText)) return refuse();
    const names = items.map((item) => item.trim());
    return names.length === 0 ? refuse() : accept(names);
  },
};

/** Names such as `MPEG-4 Visual`; a list in config.json may be one. */
export const codecList: Parser<readonly string[]> = {
  allowed: 'a list of names such as AVC, HEVC, MPEG-4 Visual, AAC',
  parse(raw) {
    const items: unknown = typeof raw === 'string' ? raw.split(',') : raw;
    if (!Array.isArray(items)) return refuse();
    const names: string[] = [];
    for (const item of items) {
      const name = typeof item === 'string' ? item.trim() : '';
      if (!/^[\w.+ -]{1,40}$/.test(name)) return refuse();
      names.push(name);
    }
    return names.length === 0 ? refuse() : accept(names);
  },
};

/** Fit for an HTTP header: printable ASCII without spaces. */
export function secret(minLength: number): Parser<Secret> {
  return {
    allowed: `${minLength} to 512 printable ASCII characters without spaces`,
    parse(raw) {
      if (typeof raw !== 'string') return refuse();
      const text = raw.trim();
      return text.length >= minLength && isToken(text) ? accept(createSecret(text)) : refuse();
    },
  };
}

/** Pino's name for the levels that Python's `logging` knows. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];
const logLevelNames = new Map<string, LogLevel>([
  ...logLevels.map((level): [string, LogLevel] => [level, level]),
  ['warning', 'warn'],
  ['critical', 'fatal'],
]);

/** Names in any case, or Python's numbers; one between two levels shows what is at or above it, as in Python. */
export const logLevel: Parser<LogLevel> = {
  allowed: 'DEBUG, INFO, WARNING, ERROR or CRITICAL, or a number from 10 (DEBUG) to 50 (CRITICAL)',
  parse(raw) {
    const named = typeof raw === 'string' ? logLevelNames.get(raw.trim().toLowerCase()) : undefined;
    if (named !== undefined) return accept(named);
    const value = toNumber(raw);
    if (value === undefined || value < 10 || value > 50) return refuse();
    return accept(logLevels[Math.ceil(value / 10) - 1] ?? 'fatal');
  },
};

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

export function parseJsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller tells what is allowed instead.
    return undefined;
  }
}

function toAlternatives(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
