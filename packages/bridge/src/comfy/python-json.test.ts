import { describe, expect, it } from 'vitest';
import { parsePythonJson } from './python-json.ts';

describe('parsePythonJson', () => {
  it('reads what Python writes for numbers that JSON does not have', () => {
    expect(parsePythonJson('{"is_changed": NaN, "max": Infinity, "min": -Infinity, "n": [NaN, 1]}')).toEqual({
      is_changed: null,
      max: null,
      min: null,
      n: [null, 1],
    });
  });

  it('leaves the same words alone inside of strings', () => {
    const text = String.raw`{"a": "NaN", "b": "say \"NaN\" \\", "NaN": NaN, "c": "\\\"Infinity"}`;
    expect(parsePythonJson(text)).toEqual({
      a: 'NaN',
      b: String.raw`say "NaN" \ `.trim(),
      NaN: null,
      c: String.raw`\"Infinity`,
    });
  });

  it('rejects what is no JSON in either language', () => {
    expect(() => parsePythonJson('{NaN')).toThrow(SyntaxError);
    expect(() => parsePythonJson('{"a: NaN')).toThrow(SyntaxError);
    expect(() => parsePythonJson('')).toThrow(SyntaxError);
  });
});
