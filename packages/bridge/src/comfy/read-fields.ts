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

/** Ids are strings on the wire; some custom nodes send their own events with numbers. */
export function toId(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' ? String(value) : undefined;
}

export function toTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
