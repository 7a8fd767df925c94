/**
 * The keys of the outermost object of a JSON text, in the order of the file. JavaScript objects put keys that look like
 * numbers first, and node ids do: only the text still knows the author's order. Expects text that `JSON.parse` accepts.
 */
export function topLevelKeys(text: string): string[] {
  const keys = new Set<string>();
  let depth = 0;
  let keyMayFollow = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      if (depth === 1 && keyMayFollow) keys.add(String(JSON.parse(text.slice(at, end + 1))));
      keyMayFollow = false;
      at = end;
    } else if (char === '{' || char === '[') {
      depth++;
      keyMayFollow = char === '{';
    } else if (char === '}' || char === ']') {
      depth--;
    } else if (char === ',') {
      keyMayFollow = true;
    }
  }
  return [...keys];
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
