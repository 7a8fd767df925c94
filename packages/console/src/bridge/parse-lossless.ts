/**
 * `JSON.parse`, but for whole numbers that a JavaScript number cannot hold (seeds up to 2⁶⁴−1): those come as text, digit for
 * digit, and the bridge takes them as text. In browsers that do not tell the source of a number they come rounded.
 */
export function parseLossless(text: string): unknown {
  return JSON.parse(text, reviveNumber);
}

function reviveNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? source : value;
}
