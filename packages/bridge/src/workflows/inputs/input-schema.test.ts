import { readdirSync, readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import {
  array,
  assert,
  bigInt,
  boolean,
  constantFrom,
  dictionary,
  double,
  integer,
  oneof,
  option,
  property,
  record,
  string,
  uuid,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { stringifyLossless } from '../../lib/lossless-json.ts';
import type { MadeInput } from '../_workflow.ts';
import { makeWorkflow } from '../_workflow.ts';
import { bindInputs } from './bind-inputs.ts';
import { findDefinition } from '../fixtures/find-definition.ts';
import { toInputSchema } from './input-schema.ts';
import type { FindDefinition } from './input-spec.ts';
import { nameInputs } from './name-inputs.ts';
import { parseWorkflow } from '../catalog/parse-workflow.ts';
import type { PublishedWorkflow } from '../catalog/published-workflow.ts';
import { resolveInputKeys } from './resolve-input-keys.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: false });
addFormats.default(ajv);
ajv.addVocabulary(['x-media', 'x-step']);

/** As a caller's program would: the schema as it crosses the wire. */
function compile(workflow: PublishedWorkflow, find: FindDefinition) {
  return ajv.compile(JSON.parse(stringifyLossless(toInputSchema(workflow, find))));
}

const savedName = 'd02302bd-c920-4608-a17a-22e2008f47c4.png';

/** What the bridge makes of the same, as if every file that is named were there and fit. */
function accepts(
  workflow: PublishedWorkflow,
  find: FindDefinition,
  inputs: Record<string, unknown>,
): boolean {
  const resolved = resolveInputKeys(workflow, inputs);
  if (!resolved.ok) return false;
  return bindInputs(workflow, resolved.values, {
    findDefinition: find,
    isUploaded: (name) => /^[0-9a-f-]{36}(\.[a-z0-9]{1,12})?$/.test(name),
    isSample: () => true,
    findAsset: () => ({ savedName, contentType: 'image/png' }),
  }).ok;
}

function schemaOf(name: string, input: MadeInput): unknown {
  const { workflow, findDefinition: find } = makeWorkflow([[name, input]]);
  const { properties } = toInputSchema(workflow, find) as { properties: Record<string, unknown> };
  return Object.values(properties)[0];
}

describe('the schema of an input', () => {
  test('has label, description, limits, step and default', () => {
    const spec = { type: 'INT', min: 16, max: 16384, step: 8 };
    const mark = { label: 'Width', description: 'Pixels.', max: 1024 };
    expect(schemaOf('width', { value: 512, mark, spec })).toEqual({
      title: 'Width',
      description: 'Pixels.',
      default: 512,
      type: 'integer',
      minimum: 16,
      maximum: 1024,
      multipleOf: 8,
    });
  });

  test('a seed is an integer up to 2^64-1, digit for digit', () => {
    const { workflow, findDefinition: find } = makeWorkflow([
      ['seed', { value: 1, spec: { type: 'INT', min: 0, max: 2 ** 64 } }],
    ]);
    const text = stringifyLossless(toInputSchema(workflow, find));
    expect(text).toContain('"minimum":0,"maximum":18446744073709551615');
  });

  test('steps of fractions are a hint, and so are steps that do not count from 0', () => {
    expect(schemaOf('cfg', { value: 8, spec: { type: 'FLOAT', min: 0, max: 100, step: 0.1 } })).toEqual({
      title: 'Node 1: cfg',
      default: 8,
      'x-step': 0.1,
      type: 'number',
      minimum: 0,
      maximum: 100,
    });
    expect(schemaOf('n', { value: 5, spec: { type: 'INT', min: 5, step: 10 } })).not.toHaveProperty(
      'multipleOf',
    );
  });

  test('options are listed, each once; the author’s own value with them', () => {
    const options = ['euler', 'heun', 'euler'];
    expect(schemaOf('sampler', { value: 'own', spec: { type: 'COMBO', options } })).toMatchObject({
      enum: ['euler', 'heun', 'own'],
      default: 'own',
    });
  });

  test('the author’s own value is allowed beyond the limits', () => {
    expect(schemaOf('n', { value: 99, spec: { type: 'INT', min: 0, max: 9 } })).toMatchObject({
      anyOf: [{ type: 'integer', minimum: 0, maximum: 9 }, { const: 99 }],
    });
  });

  test('a file can be named in every way', () => {
    const { workflow, findDefinition: find } = makeWorkflow([
      ['image', { value: 'sample.png', mark: { format: 'mask' } }],
    ]);
    const validate = compile(workflow, find);
    const id = 'd02302bd-c920-4608-a17a-22e2008f47c4';
    for (const value of [
      savedName,
      id,
      { asset: id },
      { __type: 'core/ASSET', info: { id, hash: 'blake3:00' } },
      'sample.png',
    ])
      expect(validate({ image: value }), JSON.stringify(value)).toBe(true);
    for (const value of ['other.png', '', 5, {}, { asset: 'x' }, { asset: id, more: 1 }, { info: { id } }])
      expect(validate({ image: value }), JSON.stringify(value)).toBe(false);
    expect(toInputSchema(workflow, find)).toMatchObject({ properties: { image: { 'x-media': 'mask' } } });
  });

  test('what has no default must be sent, and be something', () => {
    const { workflow, findDefinition: find } = makeWorkflow([
      ['text', { value: '', mark: { required: true } }],
      ['other', { value: 'x', mark: { required: true } }],
    ]);
    expect(toInputSchema(workflow, find)).toMatchObject({ required: ['text'] });
    const validate = compile(workflow, find);
    expect(
      [{}, { text: '' }, { text: 'x', other: '' }, { text: 'x' }].map((inputs) => validate(inputs)),
    ).toEqual([false, false, false, true]);
  });
});

const folder = new URL('../../../../../workflows/', import.meta.url);
const samples = readdirSync(folder).filter(
  (name) => name.endsWith('.json') && name !== 'workflow_alias.json',
);

test.each(samples)(
  'the defaults of the sample %s satisfy its schema, and no other input does',
  (fileName) => {
    const parsed = parseWorkflow({ fileName, text: readFileSync(new URL(fileName, folder), 'utf8') });
    if (!parsed.ok) throw new Error(parsed.problem);
    const { workflow } = parsed;
    const validate = compile(workflow, findDefinition);
    const defaults = Object.fromEntries(nameInputs(workflow).map(({ name, input }) => [name, input.default]));
    expect(validate(JSON.parse(stringifyLossless(defaults))), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({})).toBe(true);
    expect(validate({ ...defaults, nonsense: 1 })).toBe(false);
  },
);

/** Numbers that a double holds exactly: beyond them it depends on the validator. */
const number = integer({ min: -100, max: 100 });
const half = number.map((value) => value / 2);
const optional = <T>(arbitrary: Arbitrary<T>) => option(arbitrary, { nil: undefined });
const limits = record({
  min: optional(number),
  max: optional(number),
  step: optional(integer({ min: 1, max: 9 })),
});

/** Leaves out what is undefined. */
function compact<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}

const text = string({ maxLength: 5 }).map((value) => value.replaceAll('\0', ''));
const options = oneof(
  array(text, { minLength: 1, maxLength: 4 }),
  array(number, { minLength: 1, maxLength: 4 }),
);
const marks = record({
  min: optional(number),
  max: optional(number),
  required: optional(boolean()),
  options: optional(options),
});
const specs = oneof(
  limits.map((range) => ({ type: 'INT', ...compact(range) })),
  limits.map((range) => ({ type: 'FLOAT', ...compact(range) })),
  constantFrom({ type: 'STRING' }, { type: 'BOOLEAN' }),
  options.map((values) => ({ type: 'COMBO', options: values })),
  constantFrom({ type: 'COMBO', options: ['a.png'], upload: 'image' } as const),
);
const made: Arbitrary<MadeInput> = record({
  value: oneof(number, half, text, boolean(), constantFrom(null)),
  mark: marks.map(compact),
  spec: optional(specs),
}).map(compact) as Arbitrary<MadeInput>;

const sent = oneof(
  { arbitrary: number, weight: 4 },
  { arbitrary: text, weight: 4 },
  { arbitrary: boolean(), weight: 2 },
  half,
  double({ noNaN: true, noDefaultInfinity: true }),
  bigInt({ min: -(2n ** 52n), max: 2n ** 52n }).map(Number),
  uuid().map((id) => ({ asset: id })),
  uuid({ version: 4 }),
  uuid({ version: 4 }).map((id) => `${id}.png`),
  dictionary(text, number, { maxKeys: 2 }),
);

/** What the bridge takes beyond the schema: values as text, `\` for `/`, numbers between steps. */
function isBeyondSchema(value: unknown, schema: string): boolean {
  return (
    (typeof value === 'string' && !schema.includes('"type":"string"')) || schema.includes('"multipleOf"')
  );
}

test('what the schema accepts the bridge accepts, and what it refuses the bridge refuses', () => {
  let [accepted, refused] = [0, 0];
  assert(
    property(made, sent, integer({ min: 0, max: 19 }), (input, value, dice) => {
      const { workflow, findDefinition: find } = makeWorkflow([['x', input]]);
      if (workflow.inputs.length === 0) return;
      const schema = stringifyLossless(toInputSchema(workflow, find));
      const validate = compile(workflow, find);
      const inputs = { x: value, ...(dice === 0 && { y: 1 }) };
      const ok = validate(inputs);
      if (ok) accepted += 1;
      else refused += 1;
      const isTaken = accepts(workflow, find, inputs);
      if (ok || !isBeyondSchema(value, schema)) expect(isTaken, schema).toBe(ok);
      const own = JSON.parse(schema).properties.x.default;
      if (own !== undefined) expect(validate({ x: own }), schema).toBe(true);
    }),
    { numRuns: 600 },
  );
  // Neither half of the sentence holds for want of cases.
  expect(Math.min(accepted, refused)).toBeGreaterThan(20);
});
