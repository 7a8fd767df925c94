/**
 * JSON whose numbers stay as they were written: 18446744073709551615, and 7.0 beside 7, which ComfyUI tells apart. Numbers come as
 * opaque values (`JSON.rawJSON`), so that what is read and written again is the same but for what was changed.
 */
interface ExactJson {
  rawJSON?(text: string): unknown;
  isRawJSON?(value: unknown): value is { rawJSON: string };
}

const exact: ExactJson & typeof JSON = JSON;

/** Whether this browser can: those of 2025 and later. */
export function canKeepNumbers(): boolean {
  return exact.rawJSON !== undefined;
}

/** Throws a `SyntaxError` for what is no JSON. */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined ? (exact.rawJSON?.(source) ?? value) : value;
  });
}

export function writeExact(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A value of `parseExact` as people see it in a field. */
export function showExact(value: unknown): string {
  if (exact.isRawJSON?.(value) === true) return value.rawJSON;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The number that it is; undefined for anything else. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return exact.isRawJSON?.(value) === true ? Number(value.rawJSON) : undefined;
}
