/**
 * Parses JSON as Python's `json.dumps` writes it. ComfyUI stores `is_changed: NaN` in the graph of a node whose change
 * check failed or says "always run again", and that graph comes back in `/history` and `/queue`; limits in `/object_info`
 * may be `Infinity`. Neither is JSON: such numbers become null. Throws `SyntaxError` like `JSON.parse`.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(replaceNonFinite(text));
  }
}

/** Rewrites what stands outside of strings; one pass, linear. */
function replaceNonFinite(text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    parts.push(text.slice(at, end).replaceAll(/-?Infinity|NaN/g, 'null'));
    if (quote === -1) break;
    at = endOfString(text, quote);
    parts.push(text.slice(quote, at));
  }
  return parts.join('');
}

function endOfString(text: string, openQuote: number): number {
  let close = text.indexOf('"', openQuote + 1);
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close === -1 ? text.length : close + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
