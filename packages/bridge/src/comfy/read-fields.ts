import { isRecord } from '../lib/is-record.ts';

/** Light checks for answers that ComfyUI's many versions and custom nodes shape as they like. */

/** The value as a record; an empty one for anything else. */
export function toRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

export function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Finite numbers only. */
export function toNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

const MAX_ID_LENGTH = 500;

/**
 * Ids and names are strings on the wire; some custom nodes send their own events with numbers. What no ComfyUI would write
 * into one is taken out: it is shown to people, and written into logs.
 */
export function toId(value: unknown): string | undefined {
  if (typeof value === 'string') return toPlain(value).slice(0, MAX_ID_LENGTH) || undefined;
  return typeof value === 'number' ? String(value) : undefined;
}

/** Without control characters, and without those that reorder text on screen. */
export function toPlain(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '');
}

export function toTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
