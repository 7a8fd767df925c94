/**
 * JSON that keeps what JavaScript's numbers lose: integers beyond 2^53 (ComfyUI's seeds go to 2^64) become `bigint` and
 * are written back digit for digit.
 */
type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

// TypeScript's library does not know the reviver's third argument yet (ECMAScript 2026, in Node since 22).
function parse(text: string, reviver: Reviver): unknown {
  return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown);
}

/** Parses; integers that a double cannot hold come back as `bigint`. Throws `SyntaxError` like `JSON.parse`. */
export function parseLossless(text: string): unknown {
  return parse(text, (_key, value, context) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
  });
}

/** Writes `bigint` as a plain JSON number. The rest is `JSON.stringify`. */
export function stringifyLossless(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? rawJson(item.toString()) : item),
    space,
  );
}

export interface LosslessDocument {
  value: unknown;
  /** Per object, the keys whose number was written with a fraction or an exponent (`7.0`, `1e3`). */
  floats: WeakMap<object, Set<string>>;
}

/** Like `parseLossless`, and remembers which numbers the author wrote as floats: `7.0` and `7` parse alike. */
export function parseLosslessDocument(text: string): LosslessDocument {
  const floats = new WeakMap<object, Set<string>>();
  const value = parse(text, function (key, item, context) {
    if (typeof item !== 'number' || context.source === undefined) return item;
    if (/[.eE]/.test(context.source)) {
      if (typeof this === 'object' && this !== null)
        floats.set(this, (floats.get(this) ?? new Set()).add(key));
      return item;
    }
    return Number.isSafeInteger(item) ? item : BigInt(context.source);
  });
  return { value, floats };
}

// TypeScript's library does not know `JSON.rawJSON` yet (ECMAScript 2026, in Node since 22).
function rawJson(text: string): unknown {
  const raw: unknown = Reflect.get(JSON, 'rawJSON');
  if (typeof raw !== 'function') throw new Error('JSON.rawJSON is missing: Node 22 or newer is needed');
  return Reflect.apply(raw, JSON, [text]);
}
