import { z } from 'zod';

import type { Document } from './_openapi-document.ts';

export interface SchemaComparer {
  /** What callers may no longer send. */
  sent(old: unknown, now: unknown, where: string): string[];
  /** What callers are no longer promised, or get that they were not. `allowed`: values that closed lists may gain. */
  answered(old: unknown, now: unknown, where: string, allowed: readonly string[]): string[];
}

const schemaShape = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
});
type Schema = z.infer<typeof schemaShape>;

/** One form that a value may have: no reference, one type at the most. */
interface Form {
  type?: string | undefined;
  values?: unknown[] | undefined;
  properties: Readonly<Record<string, unknown>>;
  required: readonly string[];
  /** Fields beyond those that have a name. */
  rest: unknown;
  items?: unknown;
  limits: Readonly<Record<string, unknown>>;
}

interface Side {
  document: Document;
  schema: unknown;
}

interface Direction {
  kind: 'sent' | 'answered';
  allowed: readonly string[];
}

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'];
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'];

export function createSchemaComparer(before: Document, after: Document): SchemaComparer {
  return {
    sent: (old, now, where) =>
      findGaps({ document: after, schema: now }, { document: before, schema: old }, where, {
        kind: 'sent',
        allowed: [],
      }),
    answered: (old, now, where, allowed) =>
      findGaps({ document: before, schema: old }, { document: after, schema: now }, where, {
        kind: 'answered',
        allowed,
      }),
  };
}

/** Why a value that is right by `inner` may be wrong by `outer`; empty when it never is. */
function findGaps(outer: Side, inner: Side, where: string, direction: Direction): string[] {
  const outerForms = toForms(outer);
  return toForms(inner).flatMap((form) => {
    const attempts = outerForms.map((candidate) =>
      compareForms({ ...outer, schema: candidate }, { ...inner, schema: form }, where, direction),
    );
    if (attempts.some((gaps) => gaps.length === 0)) return [];
    // Of several forms, the one that comes closest tells what is wrong.
    return attempts.toSorted((a, b) => a.length - b.length)[0] ?? [`${where}: nothing fits`];
  });
}

function toForms({ document, schema }: Side): Form[] {
  const parsed = schemaShape.parse(schema);
  const name = parsed.$ref?.split('/').at(-1);
  if (name !== undefined) return toForms({ document, schema: document.components.schemas[name] });
  if (parsed.anyOf !== undefined) return parsed.anyOf.flatMap((one) => toForms({ document, schema: one }));
  const types = parsed.type === undefined ? [undefined] : [parsed.type].flat();
  return types.map((type) => (type === 'null' ? { ...anything, type } : { ...toForm(parsed), type }));
}

const anything: Form = { properties: {}, required: [], rest: true, limits: {} };

function toForm(schema: Schema): Form {
  const { properties = {}, required = [], additionalProperties = true, items, ...limits } = schema;
  return {
    values: 'const' in schema ? [schema['const']] : schema.enum,
    properties,
    required,
    rest: additionalProperties,
    items,
    limits,
  };
}

type FormSide = Side & { schema: Form };

function compareForms(outer: FormSide, inner: FormSide, where: string, direction: Direction): string[] {
  const [wide, narrow] = [outer.schema, inner.schema];
  const isOfType =
    wide.type === undefined ||
    wide.type === narrow.type ||
    (wide.type === 'number' && narrow.type === 'integer');
  if (!isOfType) {
    const what = direction.kind === 'sent' ? 'may no longer be' : 'may now be';
    return [`${where} ${what} ${narrow.type ?? 'anything'}`];
  }
  return [
    ...compareValues(wide, narrow, where, direction),
    ...compareLimits(wide, narrow, where),
    ...compareFields(outer, inner, where, direction),
    ...(wide.items === undefined
      ? []
      : findGaps(
          { ...outer, schema: wide.items },
          { ...inner, schema: narrow.items ?? {} },
          `${where}[]`,
          direction,
        )),
  ];
}

function compareValues(wide: Form, narrow: Form, where: string, { kind, allowed }: Direction): string[] {
  const [old, now] = [wide.values, narrow.values];
  if (old === undefined) return [];
  const what = kind === 'sent' ? 'may no longer be' : 'may now be';
  if (now === undefined) return [`${where} ${what} anything`];
  const more = now.filter((value) => !old.includes(value) && !allowed.includes(String(value)));
  return more.map((value) => `${where} ${what} ${JSON.stringify(value)}`);
}

function compareLimits({ limits: wide }: Form, { limits: narrow }: Form, where: string): string[] {
  const low = lowerBounds.filter(
    (name) => isNumber(wide[name]) && !(Number(narrow[name]) >= Number(wide[name])),
  );
  const high = upperBounds.filter(
    (name) => isNumber(wide[name]) && !(Number(narrow[name]) <= Number(wide[name])),
  );
  const exact = ['pattern', 'format', 'multipleOf'].filter(
    (name) => wide[name] !== undefined && wide[name] !== narrow[name],
  );
  return [...low, ...high, ...exact].map((name) => `${where} has another ${name}`);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function compareFields(outer: FormSide, inner: FormSide, where: string, direction: Direction): string[] {
  const [wide, narrow] = [outer.schema, inner.schema];
  const isSent = direction.kind === 'sent';
  const required = wide.required.filter((name) => !narrow.required.includes(name));
  const known = Object.entries(narrow.properties).flatMap(([name, schema]) => {
    const match = wide.properties[name] ?? wide.rest;
    if (match === false)
      return [`${where}.${name} ${isSent ? 'is no longer taken' : 'is new in a closed object'}`];
    if (match === true) return [];
    return findGaps({ ...outer, schema: match }, { ...inner, schema }, `${where}.${name}`, direction);
  });
  const gone = isSent ? [] : Object.keys(wide.properties).filter((name) => !(name in narrow.properties));
  return [
    ...required.map((name) => `${where}.${name} is ${isSent ? 'newly required' : 'no longer always there'}`),
    ...known,
    ...gone.filter((name) => !required.includes(name)).map((name) => `${where}.${name} is gone`),
    ...compareRest(outer, inner, where, direction),
  ];
}

/** Fields beyond those that have a name. */
function compareRest(outer: FormSide, inner: FormSide, where: string, direction: Direction): string[] {
  const [wide, narrow] = [outer.schema.rest, inner.schema.rest];
  if (wide === true || narrow === false) return [];
  if (wide === false) return [`${where} no longer takes other fields`];
  const schema = narrow === true ? {} : narrow;
  return findGaps({ ...outer, schema: wide }, { ...inner, schema }, `${where}.*`, direction);
}
