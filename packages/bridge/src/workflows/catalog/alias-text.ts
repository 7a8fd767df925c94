import { isRecord } from '../../lib/is-record.ts';
import { itemSpans, memberSpans } from '../../lib/json-text.ts';

/** An entry as the file has it. */
export interface AliasFields {
  alias: string;
  fn: string;
  description: string;
  /** Undefined: what stands there stays; empty: none. */
  thumbnail?: string | undefined;
}

/**
 * The text of `workflow_alias.json` with this entry: people edit the file too, so unknown keys, the order and the layout stay,
 * and a new entry is added at the end in the manner of the last one. `text` is a list of JSON; undefined: there is no file yet.
 */
export function setAliasEntry(text: string | undefined, fields: AliasFields): string {
  if (text === undefined) return `${JSON.stringify([withoutEmpty(fields)], null, 2)}\n`;
  const span = findEntries(text, fields.alias)[0];
  return span === undefined ? addEntry(text, fields) : changeEntry(text, span.start, fields);
}

/** The text without the entries of an alias. */
export function removeAliasEntry(text: string, alias: string): string {
  // From the end: what is cut out moves nothing before it.
  return findEntries(text, alias).reduceRight((left, { index }) => cutItem(left, index), text);
}

function findEntries(text: string, alias: string) {
  return itemSpans(text)
    .map((span, index) => ({ ...span, index }))
    .filter(({ start, end }) => {
      const entry: unknown = JSON.parse(text.slice(start, end));
      return isRecord(entry) && typeof entry['alias'] === 'string' && entry['alias'].trim() === alias;
    });
}

function cutItem(text: string, index: number): string {
  const spans = itemSpans(text);
  const span = spans[index];
  const before = spans[index - 1];
  const after = spans[index + 1];
  if (span === undefined) return text;
  if (after !== undefined) return text.slice(0, span.start) + text.slice(after.start);
  const from = before?.end ?? text.indexOf('[') + 1;
  const to = before === undefined ? text.lastIndexOf(']') : span.end;
  return text.slice(0, from) + text.slice(to);
}

function addEntry(text: string, fields: AliasFields): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const entry = withoutEmpty(fields);
  const last = itemSpans(text).at(-1);
  if (last === undefined) {
    const from = text.indexOf('[') + 1;
    const lines = layOut(JSON.stringify(entry, null, 2), '  ', newline);
    return `${text.slice(0, from)}${newline}  ${lines}${newline}${text.slice(text.lastIndexOf(']'))}`;
  }
  const indent = /(?:^|\n)([ \t]*)$/.exec(text.slice(0, last.start))?.[1];
  const step = /\n([ \t]*)"/.exec(text.slice(last.start, last.end))?.[1];
  const unit = step?.startsWith(indent ?? '') === true ? step.slice(indent?.length ?? 0) : '  ';
  const written =
    step === undefined
      ? onOneLine(entry)
      : layOut(JSON.stringify(entry, null, unit || '  '), indent ?? '', newline);
  const gap = indent === undefined ? ' ' : newline + indent;
  return `${text.slice(0, last.end)},${gap}${written}${text.slice(last.end)}`;
}

function changeEntry(text: string, start: number, fields: AliasFields): string {
  let changed = text;
  for (const key of ['fn', 'description', 'thumbnail'] as const) {
    const value = fields[key];
    if (value !== undefined) changed = changeMember(changed, start, key, value);
  }
  return changed;
}

function changeMember(text: string, start: number, key: string, value: string): string {
  const members = memberSpans(text, start);
  const written = JSON.stringify(value);
  const member = members.findLast((member) => member.key === key);
  if (member !== undefined) {
    const isSame = JSON.parse(text.slice(member.start, member.end)) === value;
    return isSame ? text : text.slice(0, member.start) + written + text.slice(member.end);
  }
  const last = members.at(-1);
  if (last === undefined || value === '') return text;
  const gap = /\r?\n[ \t]*(?=")/.exec(text.slice(start, last.start))?.[0] ?? ' ';
  return `${text.slice(0, last.end)},${gap}${JSON.stringify(key)}: ${written}${text.slice(last.end)}`;
}

function withoutEmpty({ thumbnail, ...fields }: AliasFields): Record<string, string> {
  return { ...fields, ...(thumbnail !== undefined && thumbnail !== '' && { thumbnail }) };
}

function layOut(json: string, indent: string, newline: string): string {
  return json.replaceAll('\n', newline + indent);
}

function onOneLine(entry: Record<string, string>): string {
  const members = Object.entries(entry).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  return `{ ${members.join(', ')} }`;
}
