/** JSON as text: where its parts stand, so that one can be changed and the rest stays as somebody wrote it. */

/** From its first character to behind its last. */
export interface JsonSpan {
  start: number;
  end: number;
}

export interface JsonMember extends JsonSpan {
  key: string;
}

/** The items of a list. `text` is valid JSON and has a list at `at`, or behind white space. */
export function itemSpans(text: string, at = 0): JsonSpan[] {
  const spans: JsonSpan[] = [];
  let start = skipSpace(text, skipSpace(text, at) + 1);
  while (start < text.length && text[start] !== ']') {
    const end = endOfValue(text, start);
    spans.push({ start, end });
    start = nextPart(text, end);
  }
  return spans;
}

/** The members of an object, with where their values stand. `text` is valid JSON and has an object at `at`, or behind white space. */
export function memberSpans(text: string, at = 0): JsonMember[] {
  const members: JsonMember[] = [];
  let keyStart = skipSpace(text, skipSpace(text, at) + 1);
  while (keyStart < text.length && text[keyStart] !== '}') {
    const keyEnd = endOfValue(text, keyStart);
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, start);
    members.push({ key: String(JSON.parse(text.slice(keyStart, keyEnd))), start, end });
    keyStart = nextPart(text, end);
  }
  return members;
}

/** The value of an object's member as it is written; undefined when there is none. Of several, the last counts, as for `JSON.parse`. */
export function memberText(text: string, key: string): string | undefined {
  const member = memberSpans(text).findLast((member) => member.key === key);
  return member === undefined ? undefined : text.slice(member.start, member.end);
}

/** Deeper than any workflow is meant to be read. */
const maxIndent = 20;

/** The same JSON with two spaces for each level. Numbers, strings and the order of keys stay as they are written. */
export function indentJson(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  const line = () => `\n${'  '.repeat(Math.min(depth, maxIndent))}`;
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const char = text[at] ?? '';
    if (char === '{' || char === '[') {
      const closing = skipSpace(text, at + 1);
      if (text[closing] === '}' || text[closing] === ']') {
        parts.push(char, text[closing] ?? '');
        at = closing + 1;
        continue;
      }
      depth += 1;
      parts.push(char, line());
    } else if (char === '}' || char === ']') {
      depth -= 1;
      parts.push(line(), char);
    } else if (char === ',') parts.push(',', line());
    else if (char === ':') parts.push(': ');
    else {
      const end = endOfValue(text, at);
      parts.push(text.slice(at, end));
      at = end;
      continue;
    }
    at += 1;
  }
  return parts.join('');
}

function nextPart(text: string, end: number): number {
  const at = skipSpace(text, end);
  return text[at] === ',' ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && ' \n\r\t\uFEFF'.includes(text[at] ?? '')) at += 1;
  return at;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') at = endOfString(text, at) - 1;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (depth === 0) at = endOfWord(text, at) - 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Of a number, `true`, `false` or `null`. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',:]}"[{ \n\r\t'.includes(text[at] ?? '')) at += 1;
  return Math.max(at, start + 1);
}
