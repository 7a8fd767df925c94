import { parseAllowedTypes } from '../files/allowed-types.ts';
import { isRecord } from '../lib/is-record.ts';
import { accept, refuse } from './option.ts';
import type { Parser, WrongPart } from './option.ts';
import { isText, parseJsonOrUndefined } from './value-parsers.ts';

/** Raw, as written: MIME type to one extension or several. What the entries mean is decided where files are checked. */
export type AllowedTypes = Readonly<Record<string, string | readonly string[]>>;

export const mimeMap: Parser<AllowedTypes> = {
  allowed:
    'a JSON object of MIME types, each with an extension or a list of them, such as {"image/png": [".png"]}',
  parse(raw) {
    const object = typeof raw === 'string' ? parseJsonOrUndefined(raw) : raw;
    if (!isRecord(object) || Object.keys(object).length === 0) return refuse();
    const wrong: WrongPart[] = [];
    const map: Record<string, string | string[]> = {};
    for (const [type, extensions] of Object.entries(object)) {
      if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+$/.test(type)) {
        wrong.push({ shown: JSON.stringify(type), allowed: 'MIME types such as "image/png" as keys' });
      } else if (
        isText(extensions) ||
        (Array.isArray(extensions) && extensions.length > 0 && extensions.every(isText))
      ) {
        map[type] = extensions;
      } else {
        const allowed = 'an extension such as ".png", or a list of them';
        wrong.push({ part: `[${JSON.stringify(type)}]`, shown: JSON.stringify(extensions), allowed });
      }
    }
    if (wrong.length > 0) return refuse(...wrong);
    const meaning = parseAllowedTypes(map);
    return meaning.ok ? accept(map) : refuse(...meaning.errors.map(toWrongPart));
  },
};

/** `"image/png": ".jpg" is no extension of it; allowed are .png` */
function toWrongPart(error: string): WrongPart {
  const [shown = error, allowed = error] = error.split('; allowed are ');
  return { shown, allowed };
}
