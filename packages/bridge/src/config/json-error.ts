/**
 * Where JSON stops being JSON, and what should stand there. `JSON.parse` tells a position only for some of its errors.
 * Undefined when the text is valid.
 */
export function findJsonError(text: string): { line: number; column: number; expected: string } | undefined {
  const closers: ('}' | ']')[] = [];
  let expected: Expected = 'a value';
  let at = 0;
  for (;;) {
    at = skip(text, at, /[ \t\r\n]*/y);
    if (expected === 'the end' && at === text.length) return undefined;
    const step = next(text, at, expected, closers);
    if (step === undefined)
      return { ...toLineAndColumn(text, at), expected: describe(expected, text[at], closers) };
    at = step.at;
    expected = step.expected;
  }
}

type Expected =
  | 'a value'
  | 'a value or "]"'
  | 'a key'
  | 'a key or "}"'
  | 'a colon'
  | 'a comma or the closing'
  | 'the end';

// oxlint-disable-next-line no-control-regex -- these are what JSON forbids in a text
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const literal = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** Takes one token; undefined when none fits. `closers` holds what each open object or list ends with. */
function next(
  text: string,
  at: number,
  expected: Expected,
  closers: ('}' | ']')[],
): { at: number; expected: Expected } | undefined {
  const char = text[at];
  const closer = closers.at(-1);
  const afterValue = () => (closers.length === 0 ? 'the end' : 'a comma or the closing');
  const mayClose =
    expected === 'a comma or the closing' || expected === 'a value or "]"' || expected === 'a key or "}"';
  if (mayClose && char !== undefined && char === closer) {
    closers.pop();
    return { at: at + 1, expected: afterValue() };
  }
  switch (expected) {
    case 'the end':
      return undefined;
    case 'a colon':
      return char === ':' ? { at: at + 1, expected: 'a value' } : undefined;
    case 'a comma or the closing':
      return char === ',' ? { at: at + 1, expected: closer === '}' ? 'a key' : 'a value' } : undefined;
    case 'a key':
    case 'a key or "}"': {
      const end = skip(text, at, string);
      return end === at ? undefined : { at: end, expected: 'a colon' };
    }
    case 'a value':
    case 'a value or "]"': {
      if (char === '{' || char === '[') {
        closers.push(char === '{' ? '}' : ']');
        return { at: at + 1, expected: char === '{' ? 'a key or "}"' : 'a value or "]"' };
      }
      const end = skip(text, at, char === '"' ? string : literal);
      return end === at ? undefined : { at: end, expected: afterValue() };
    }
  }
}

function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function describe(expected: Expected, found: string | undefined, closers: readonly string[]): string {
  const takesString = expected.startsWith('a key') || expected.startsWith('a value');
  if (found === '"' && takesString) return 'a closed text on one line, with "\\\\" for each backslash';
  if (expected === 'a comma or the closing') return `a comma or "${closers.at(-1)}"`;
  if (expected.startsWith('a key')) return expected.replace('a key', 'a key in double quotes');
  return expected;
}

function toLineAndColumn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
