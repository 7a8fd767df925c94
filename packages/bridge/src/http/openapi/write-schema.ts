import { z } from 'zod';

import { nameComponents } from './components.ts';
import type { Definitions, JsonSchema, Schema } from './operation.ts';

/** `input`: what a caller may send. `output`: what it gets; fields may be added there, so objects are open. */
type Direction = 'input' | 'output';

export interface SchemaWriter {
  write(schema: Schema, direction: Direction): JsonSchema;
  /** What was referenced so far, by its name. */
  components(): Record<string, JsonSchema>;
}

const prefix = '#/components/schemas/';

/** Schemas with an id in zod's registry become components and are referenced; the rest is written in its place. */
export function createSchemaWriter(): SchemaWriter {
  nameComponents();
  const components = new Map<string, JsonSchema>();
  /** Many operations share a schema, and writing one takes a millisecond. */
  const written = { input: new Map<z.ZodType, JsonSchema>(), output: new Map<z.ZodType, JsonSchema>() };

  /** A component that a caller sends may differ from the one that it gets: then it has a name of its own. */
  function add(id: string, schema: JsonSchema, direction: Direction): string {
    const name = isFree(id, schema) ? id : `${id}${direction === 'input' ? 'Input' : 'Output'}`;
    components.set(name, schema);
    return name;
  }

  function isFree(name: string, schema: JsonSchema): boolean {
    const known = components.get(name);
    return known === undefined || JSON.stringify(known) === JSON.stringify(schema);
  }

  function writePlain(raw: JsonSchema, definitions: Definitions): JsonSchema {
    const refs = new Map(
      Object.entries(definitions).map(([id, { component, schema }]) => [id, add(component, schema, 'input')]),
    );
    return refs.size === 0 ? raw : toRecord(replaceReferences(raw, refs));
  }

  function write(schema: Schema, direction: Direction): JsonSchema {
    if (!(schema instanceof z.ZodType)) return writePlain(schema.raw, schema.definitions ?? {});
    const known = written[direction].get(schema) ?? writeZod(schema, direction);
    written[direction].set(schema, known);
    return known;
  }

  function writeZod(schema: z.ZodType, direction: Direction): JsonSchema {
    // Wrapped, so that a named schema becomes a reference also where it is all there is.
    const generated = z.toJSONSchema(z.object({ it: schema }), {
      io: direction,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema._zod.def.type === 'bigint') jsonSchema.type = 'integer';
        // A link, which is a URL or begins with a slash, has a format of its own.
        if (jsonSchema.format !== 'uri-reference') return;
        delete jsonSchema.anyOf;
        jsonSchema.type = 'string';
      },
    });
    const refs = new Map<string, string>();
    for (const [id, definition] of Object.entries(generated.$defs ?? {}))
      refs.set(id, add(id, toRecord(tidy(definition, direction)), direction));
    return toRecord(tidy(generated.properties?.['it'] ?? {}, direction, refs));
  }

  return { write, components: () => Object.fromEntries(components) };
}

/** Takes out what only zod needs, and says what is said long-windedly in short. */
function tidy(value: unknown, direction: Direction, refs?: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => tidy(item, direction, refs));
  if (typeof value !== 'object' || value === null) return value;
  const written = Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => !isNoise(key, item, value, direction))
      .map(([key, item]) => [key, key === '$ref' ? toReference(item, refs) : tidy(item, direction, refs)]),
  );
  return mergeNull(written);
}

function isNoise(key: string, item: unknown, schema: object, direction: Direction): boolean {
  if (key === 'propertyNames') return true;
  if (key === '$schema' || key === 'id') return typeof item === 'string';
  if (key === 'pattern') return 'format' in schema && isWellKnown(schema.format);
  if (key === 'contentEncoding') return item === 'binary';
  if (key === 'additionalProperties') return direction === 'output' && item === false;
  return (key === 'maximum' || key === 'minimum') && Math.abs(Number(item)) === Number.MAX_SAFE_INTEGER;
}

function isWellKnown(format: unknown): boolean {
  return format === 'date-time' || format === 'uuid' || format === 'base64';
}

function toReference(ref: unknown, refs: ReadonlyMap<string, string> | undefined): string {
  const id = String(ref).split('/').at(-1) ?? '';
  return `${prefix}${refs?.get(id) ?? id}`;
}

/** Of plain data; what already leads to a component stays. */
function replaceReferences(value: unknown, refs: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceReferences(item, refs));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === '$ref' && String(item).startsWith('#/$defs/')
        ? [key, toReference(item, refs)]
        : [key, replaceReferences(item, refs)],
    ),
  );
}

/** `anyOf: [{"type": "string", …}, {"type": "null"}]` is `"type": ["string", "null"]`. */
function mergeNull(schema: Record<string, unknown>): Record<string, unknown> {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema;
  const [first, second] = anyOf.map(toRecord);
  if (first === undefined || second?.['type'] !== 'null' || Object.keys(second).length > 1) return schema;
  if (typeof first['type'] !== 'string' || 'const' in first) return schema;
  const values = first['enum'];
  return {
    ...first,
    type: [first['type'], 'null'],
    ...(Array.isArray(values) && { enum: [...values, null] }),
    ...rest,
  };
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
