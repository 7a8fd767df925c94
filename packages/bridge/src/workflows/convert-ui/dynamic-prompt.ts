/**
 * What the editor makes of a text with dynamic prompts when it queues: comments go (`//…`, C style), of each `{a|b}` one
 * choice is taken at random, and a backslash keeps a brace or a bar. Undefined where a real choice would have to be made:
 * no answer is the editor's then. Read off its behaviour in 1.27 and 1.58.
 */
export function resolveDynamicPrompt(text: string): string | undefined {
  const resolved = resolveChoices(text, 0);
  return resolved?.replace(/\\([{}|])/g, '$1');
}

/** As deep as anybody nests choices; deeper ones are not resolved. */
const deepest = 10;

function resolveChoices(text: string, depth: number): string | undefined {
  if (depth > deepest) return undefined;
  const source = withoutComments(text);
  const special = /[\\{]/g;
  let result = '';
  let from = 0;
  for (let found = special.exec(source); found !== null; found = special.exec(source)) {
    const at = found.index;
    if (source[at] === '\\') {
      // What follows a lone backslash at the end is nothing, which the editor writes out as a word.
      if (at + 1 >= source.length) return undefined;
      special.lastIndex = at + 2;
      continue;
    }
    const block = readBlock(source, at + 1);
    const inner = block === undefined ? undefined : resolveChoices(block.text, depth + 1);
    if (block === undefined || inner === undefined) return undefined;
    // A choice is resolved as a text of its own, its backslashes included.
    result += source.slice(from, at) + inner.replace(/\\([{}|])/g, '$1');
    from = block.end;
    special.lastIndex = from;
  }
  return result + source.slice(from);
}

/** The only choice of the block that begins at `from`; undefined where there are several. A block may end with the text. */
function readBlock(source: string, from: number): { text: string; end: number } | undefined {
  let depth = 0;
  for (let at = from; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char === '\\') {
      if (at + 1 >= source.length) return undefined;
      at += 1;
    } else if (char === '{') depth += 1;
    else if (char === '}') {
      if (depth === 0) return { text: source.slice(from, at), end: at + 1 };
      depth -= 1;
    } else if (char === '|' && depth === 0) return undefined;
  }
  return { text: source.slice(from), end: source.length };
}

/** In one pass, however many comments are left open. */
function withoutComments(text: string): string {
  let result = '';
  let from = 0;
  let isOpen = false;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at)) {
    const next = text[at + 1];
    let end = -1;
    if (next === '*' && !isOpen) {
      const close = text.indexOf('*/', at + 2);
      // None of those that follow is closed either.
      isOpen = close < 0;
      end = isOpen ? -1 : close + 2;
    } else if (next === '/') end = endOfLine(text, at);
    if (end >= 0) {
      result += text.slice(from, at);
      from = end;
    }
    at = end >= 0 ? end : at + 1;
  }
  return result + text.slice(from);
}

function endOfLine(text: string, from: number): number {
  const lineEnd = /[\n\r\u2028\u2029]/g;
  lineEnd.lastIndex = from;
  return lineEnd.exec(text)?.index ?? text.length;
}
