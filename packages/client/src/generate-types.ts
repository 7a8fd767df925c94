import type { WorkflowDetail } from './wire.ts';

type Schema = Readonly<Record<string, unknown>>;

const header = `// Written by \`comfy-bridge-client types\`: run it again instead of editing this file.
import type { FileInput } from '@comfy-bridge/client';

/** The workflows of a bridge: \`createBridge<Workflows>({ url })\`. */
export interface Workflows {
`;

/**
 * A TypeScript declaration of what each workflow takes and gives. The same workflows give the same text, in whatever order
 * they come. Names and descriptions are an author's words: they stay within a literal or a comment, whatever they hold.
 */
export function generateTypes(workflows: readonly WorkflowDetail[]): string {
  const sorted = [...workflows].sort((a, b) => compare(a.alias, b.alias));
  return `${header}${sorted.map(toWorkflow).join('')}}\n`;
}

function toWorkflow({
  alias,
  title,
  description,
  inputs,
  outputs,
  input_schema: schema,
}: WorkflowDetail): string {
  const properties = parseRecord(schema['properties']);
  const required = new Set(parseList(schema['required']));
  const types = new Set(outputs.flatMap(({ types }) => (types.length === 0 ? ['any'] : types)));
  const known = types.size > 0 && !types.has('any');
  return [
    toComment('  ', [title === alias ? '' : title, description]),
    `  ${toKey(alias)}: {\n`,
    '    inputs: {\n',
    ...inputs.map(({ name }) => toInput(name, parseRecord(properties[name]), required.has(name))),
    '    };\n',
    `    outputs: ${(known ? [...types].sort(compare) : everyOutput).map(quote).join(' | ')};\n`,
    '  };\n',
  ].join('');
}

const everyOutput = ['audio', 'file', 'image', 'latent', 'text', 'video'];

function toInput(name: string, schema: Schema, isRequired: boolean): string {
  const { title, description, default: value } = schema;
  const comment = toComment('      ', [
    typeof title === 'string' ? title : '',
    typeof description === 'string' ? description : '',
    describeLimits(schema),
    value === undefined ? '' : `Default: ${shorten(JSON.stringify(value))}`,
  ]);
  const type = toType(schema);
  return `${comment}      ${toKey(name)}${isRequired ? '' : '?'}: ${type}${isRequired ? '' : ' | null | undefined'};\n`;
}

function toType(schema: Schema): string {
  // Whatever forms the server takes: the client makes one of them of a file.
  if (typeof schema['x-media'] === 'string') return 'FileInput';
  const { enum: options, anyOf, type } = schema;
  if ('const' in schema) return toLiterals([schema['const']]);
  if (Array.isArray(options)) return toLiterals(options);
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map((one) => toType(parseRecord(one))))].join(' | ');
  if (type === 'integer') return isWide(schema) ? 'number | bigint' : 'number';
  if (type === 'number' || type === 'boolean' || type === 'string') return type;
  return 'not' in schema ? 'never' : 'string | number | boolean';
}

function toLiterals(values: readonly unknown[]): string {
  const literals = values.map((value) => {
    if (typeof value === 'string') return quote(value);
    return typeof value === 'boolean' || Number.isFinite(value) ? String(value) : 'never';
  });
  return [...new Set(literals)].sort(compare).join(' | ') || 'never';
}

/** Integers beyond what a number holds exactly, such as seeds. */
function isWide({ minimum, maximum }: Schema): boolean {
  return [minimum, maximum].some((limit) => typeof limit === 'number' && !Number.isSafeInteger(limit));
}

function describeLimits(schema: Schema): string {
  const words = {
    minimum: 'at least',
    maximum: 'at most',
    multipleOf: 'a multiple of',
    'x-step': 'in steps of',
  };
  const limits = Object.entries(words).flatMap(([key, text]) => {
    const limit = schema[key];
    return typeof limit === 'number' ? [`${text} ${limit}`] : [];
  });
  const [first = '', ...rest] = limits;
  return limits.length === 0
    ? ''
    : `${[first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(', ')}.`;
}

/** A property name: quoted where it has to be. */
function toKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name);
}

/** A text as a literal on one line, with everything that shows as something else than it is written out. */
function quote(text: string): string {
  return escapeUnseen(JSON.stringify(text));
}

/**
 * A doc comment that nothing in it can end, and in which nothing is a tag: neither for documentation nor for the compiler
 * (`@ts-ignore`).
 */
function toComment(indent: string, paragraphs: readonly string[]): string {
  const lines = paragraphs
    .flatMap((text) => text.split(/\r\n|[\n\r\u2028\u2029]/))
    .map((line) =>
      escapeUnseen(line.replaceAll('\t', ' ')).replaceAll('*/', '*\\/').replaceAll('@', '\\@').trim(),
    )
    .filter((line) => line !== '');
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** Control characters, and those that reorder or hide text on a screen. */
function escapeUnseen(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}${toSecondHalf(character)}`,
  );
}

function toSecondHalf(character: string): string {
  return character.length < 2 ? '' : `\\u${character.charCodeAt(1).toString(16)}`;
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)} …`;
}

/** By code unit: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function parseRecord(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

function parseList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
