/** Whether a list of aliases, with `*` for any text, names this one; null names all. */
export function isInScope(patterns: readonly string[] | null, alias: string): boolean {
  return patterns === null || patterns.some((pattern) => matches(pattern, alias));
}

/** In one pass for each part, whatever the pattern: no expression that could take exponentially long. */
function matches(pattern: string, alias: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === alias;
  const last = rest.pop() ?? '';
  if (!alias.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = alias.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return alias.length - at >= last.length && alias.endsWith(last);
}
