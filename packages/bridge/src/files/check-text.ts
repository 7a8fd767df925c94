import { isUtf8 } from 'node:buffer';
import type { FileWindow } from './file-window.ts';

/** Comments and blanks that may stand before what a file really is. */
const preface = /^(?:\s|<!--[^]*?-->)*/;
/** How a file begins that is a page, a drawing, a script or a document rather than text. */
const notPlain =
  /^(?:<!--|<!doctype|<!entity|<\?xml|<\?php|<\?=|#!|%!ps|\{\\rtf|<(?:html|head|body|script|iframe|svg|style|title|meta|link|object|embed|base|frameset|img|form|xml|math)[\s/>])/i;
/** Readers of PDF look for this at the beginning of any of the first lines. */
const pdf = /^%PDF-\d/im;

/**
 * Why a text file is refused; undefined when it is fine: UTF-8 throughout, no NUL. What the text says does not matter, a
 * text that *is* a page or a script does.
 */
export async function checkText(window: FileWindow, contentType: string): Promise<string | undefined> {
  for (let position = 0; position < window.size;) {
    const bytes = await window.readSome(position);
    const whole = position + bytes.length < window.size ? withoutCutCharacter(bytes) : bytes;
    // Never zero: text has a whole character within four bytes.
    if (whole.length === 0 || !isUtf8(whole)) return 'the text is not UTF-8';
    if (whole.includes(0)) return 'the text holds NUL bytes';
    position += whole.length;
  }
  const head = (await window.read(0, 1024)).toString('utf8').replace(/^\ufeff/, '');
  if (contentType === 'application/json') {
    return /^\s*[[{"\d\-tfn]/.test(head) ? undefined : 'its content is not JSON';
  }
  // A comment that does not end here is as good as a page.
  return notPlain.test(head.replace(preface, '')) || pdf.test(head)
    ? 'its content is a script, page or document, not plain text'
    : undefined;
}

/** Leaves the last character for the next round when it may go on there: `11xxxxxx` starts one of several bytes. */
function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return bytes.subarray(0, bytes.length - back);
    if (byte < 0x80) break;
  }
  return bytes;
}
