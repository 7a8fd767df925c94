import * as fc from 'fast-check';
import { z } from 'zod';

import type { Document } from './_openapi-document.ts';

/** Text that no schema asks for. */
export const junkText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '../../etc/passwd',
    "';--",
    '${x}',
    'null',
    '-1',
    '1e999',
    'NaN',
    '𓂀',
  ),
  fc.constantFrom('x'.repeat(300), 'x'.repeat(2_000)),
);

/** Values that no schema asks for. */
export const junkValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 53, 1e308, [], {}, [[]], [null], { __proto__: null }),
  junkText,
  fc.jsonValue({ maxDepth: 4 }),
  fc.constant(JSON.parse('{"__proto__": {"a": 1}, "constructor": 1, "toString": 2}')),
);

const schemaShape = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.record(z.string(), z.unknown())).optional(),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
  items: z.record(z.string(), z.unknown()).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  maxItems: z.number().optional(),
});
type Schema = z.infer<typeof schemaShape>;

export interface SchemaValues {
  /** Values that the schema allows, as far as it says what that is. */
  of(schema: unknown): fc.Arbitrary<unknown>;
  /** Objects with one field that it does not allow, or lack. */
  broken(schema: unknown): fc.Arbitrary<unknown>;
  /** A multipart form of its fields. */
  form(schema: unknown, png: Buffer): fc.Arbitrary<{ contentType: string; bytes: Buffer }>;
}

export function createSchemaValues(
  document: Document,
  named: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): SchemaValues {
  function resolve(schema: unknown): Schema {
    const parsed = schemaShape.parse(schema);
    const name = parsed.$ref?.split('/').at(-1);
    return name === undefined ? parsed : resolve(document.components.schemas[name]);
  }

  /** Some names mean different things in different places: `workflow:string`, `workflow:object`. */
  function special(name: string, schema: unknown): fc.Arbitrary<unknown> | undefined {
    return named[`${name}:${String(resolve(schema).type)}`] ?? named[name];
  }

  function of(given: unknown, depth = 0): fc.Arbitrary<unknown> {
    const schema = resolve(given);
    if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => of(one, depth)));
    if ('const' in schema) return fc.constant(schema['const']);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    const types = schema.type === undefined ? ['any'] : [schema.type].flat();
    return fc.oneof(...types.map((type) => ofType(type, schema, depth)));
  }

  function ofType(type: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
    switch (type) {
      case 'string':
        return toText(schema);
      case 'integer':
        return toInteger(schema);
      case 'number':
        return fc.double({
          min: schema.minimum ?? -1e6,
          max: schema.maximum ?? 1e6,
          noNaN: true,
        });
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      case 'array':
        return fc.array(of(schema.items ?? {}, depth + 1), { maxLength: Math.min(3, schema.maxItems ?? 3) });
      case 'object':
        return toObject(schema, depth);
      default:
        return depth > 3 ? fc.constant(1) : fc.jsonValue({ maxDepth: 2 });
    }
  }

  function toObject({ properties = {}, required = [], additionalProperties }: Schema, depth: number) {
    const fields = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        special(name, schema) ?? of(schema, depth + 1),
      ]),
    );
    const known = fc.record(fields, { requiredKeys: required });
    if (typeof additionalProperties !== 'object' || depth > 2) return known;
    const extra = fc.dictionary(fc.string({ maxLength: 8 }), of(additionalProperties, depth + 1), {
      maxKeys: 3,
    });
    return fc.tuple(extra, known).map(([more, own]) => ({ ...more, ...own }));
  }

  function broken(given: unknown): fc.Arbitrary<unknown> {
    const { properties = {} } = resolve(given);
    const names = [...Object.keys(properties), 'unknown_field'];
    return fc.tuple(of(given), fc.constantFrom(...names), fc.option(junkValue)).map(([value, name, junk]) => {
      const { [name]: _gone, ...rest } = Object(value);
      return junk === null ? rest : { ...rest, [name]: junk };
    });
  }

  function form(given: unknown, png: Buffer): fc.Arbitrary<{ contentType: string; bytes: Buffer }> {
    const { properties = {} } = resolve(given);
    const text = Object.entries(properties).filter(([, schema]) => resolve(schema).format !== 'binary');
    const fields = text.map(([name, schema]) =>
      fc.option(
        fc
          .oneof(
            { weight: 9, arbitrary: special(name, schema) ?? of(schema) },
            { weight: 1, arbitrary: junkText },
          )
          .map((value: unknown = '') => ({
            name,
            fileName: undefined,
            bytes: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
          })),
        { freq: 2 },
      ),
    );
    const file = fc.record({
      name: fc.oneof({ weight: 6, arbitrary: fc.constant('file') }, { weight: 1, arbitrary: junkText }),
      fileName: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('a.png', 'a.png', 'b.PNG', 'c.txt', 'x.exe', '') },
        { weight: 1, arbitrary: junkText },
      ),
      bytes: fc.oneof(
        { weight: 6, arbitrary: fc.constant(png) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
      ),
    });
    const cut = fc.oneof(
      { weight: 12, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: 80 }) },
    );
    return fc
      .tuple(
        fc.tuple(...fields),
        fc.oneof(
          { weight: 6, arbitrary: fc.tuple(file) },
          { weight: 1, arbitrary: fc.array(file, { maxLength: 3 }) },
        ),
        cut,
      )
      .map(([some, files, lost]) => {
        const sent = some.filter((field) => field !== null);
        const whole = writeForm([...sent, ...files]);
        return {
          contentType: `multipart/form-data; boundary=${boundary}`,
          bytes: whole.subarray(0, whole.length - lost),
        };
      });
  }

  return { of: (schema) => of(schema), broken, form };
}

const boundary = 'fuzz-7d3f2a';

function writeForm(parts: readonly { name: string; fileName: string | undefined; bytes: Buffer }[]): Buffer {
  const quoted = (text: string) => text.replaceAll(/["\r\n]/g, '_');
  const written = parts.flatMap(({ name, fileName, bytes }) => {
    const file = fileName === undefined ? '' : `; filename="${quoted(fileName)}"`;
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"${file}\r\n\r\n`;
    return [Buffer.from(head), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([...written, Buffer.from(`--${boundary}--\r\n`)]);
}

function toText({ format, pattern, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: 120 });
  return fc.string({ unit: 'grapheme', maxLength: Math.min(maxLength, 30) });
}

function toInteger({ minimum = 0, maximum = 10_000 }: Schema): fc.Arbitrary<number> {
  const min = Math.max(minimum, Number.MIN_SAFE_INTEGER);
  return fc.integer({ min, max: Math.max(min, Math.min(maximum, 2 ** 31)) });
}
