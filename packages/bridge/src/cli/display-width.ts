import { stripVTControlCharacters } from 'node:util';

/** Unicode's East Asian Width W and F in the planes that names are written in, and emoji: two columns of a terminal each. */
const wide =
  /[\u1100-\u115F\u231A\u231B\u2329\u232A\u23E9-\u23EC\u23F0\u23F3\u25FD\u25FE\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FF}\u{1F200}-\u{1F2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;
const segmenter = new Intl.Segmenter();

/** Columns that a text takes in a terminal: two for Hangul and Han, none for marks that join the letter before. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of segmenter.segment(stripVTControlCharacters(text))) {
    if (/^\p{C}|^\p{M}/u.test(segment)) continue;
    width += wide.test(segment) ? 2 : 1;
  }
  return width;
}

/** With spaces behind it, up to so many columns. */
export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Cut to at most so many columns, with an ellipsis where something is missing. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  for (const { segment } of segmenter.segment(text)) {
    if (displayWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}

/**
 * A text of somebody else on one line, without anything that a terminal would obey: names come from workflows, machines and
 * other callers. Directions of writing (U+202E and its like) are such orders too.
 */
export function toPlainText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\p{Cc}|[\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

/** The same for a text of several lines, which stay, and so do the spaces that they begin with. */
export function toPlainLines(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^ */.exec(line)?.[0] ?? '') + toPlainText(line).trimStart())
    .join('\n');
}
