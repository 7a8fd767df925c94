import { expect, test } from 'vitest';
import { z } from 'zod';

import { createSchemaWriter } from './write-schema.ts';

test('a field that may be null has two types, or a choice where it is a component', () => {
  const named = z.object({ a: z.string() }).meta({ id: 'TestNullable' });
  const schema = z.object({
    text: z.string().max(3).nullable(),
    kind: z.enum(['a']).nullable(),
    it: named.nullable(),
  });
  expect(createSchemaWriter().write(schema, 'output')).toEqual({
    type: 'object',
    properties: {
      text: { type: ['string', 'null'], maxLength: 3 },
      kind: { type: ['string', 'null'], enum: ['a', null] },
      it: { anyOf: [{ $ref: '#/components/schemas/TestNullable' }, { type: 'null' }] },
    },
    required: ['text', 'kind', 'it'],
  });
});

test('what is sent is closed, what is answered may gain fields', () => {
  const schema = z.strictObject({ a: z.string().default('x') });
  const { write } = createSchemaWriter();
  expect(write(schema, 'input')).toMatchObject({ additionalProperties: false });
  expect(write(schema, 'input')).not.toHaveProperty('required');
  expect(write(schema, 'output')).toEqual({
    type: 'object',
    properties: { a: { type: 'string', default: 'x' } },
    required: ['a'],
  });
});

test('a component that is sent otherwise than it is answered has two names', () => {
  const schema = z.strictObject({ a: z.string() }).meta({ id: 'TestBoth' });
  const writer = createSchemaWriter();
  expect(writer.write(schema, 'output')).toEqual({ $ref: '#/components/schemas/TestBoth' });
  expect(writer.write(schema, 'input')).toEqual({ $ref: '#/components/schemas/TestBothInput' });
  expect(Object.keys(writer.components())).toEqual(['TestBoth', 'TestBothInput']);
});

test('formats that everybody knows need no pattern, and 64 bit integers are integers', () => {
  const { write } = createSchemaWriter();
  expect(write(z.iso.datetime(), 'output')).toEqual({ type: 'string', format: 'date-time' });
  expect(write(z.uuid(), 'output')).toEqual({ type: 'string', format: 'uuid' });
  expect(write(z.bigint(), 'output')).toEqual({ type: 'integer' });
  expect(write(z.int().nonnegative(), 'output')).toEqual({ type: 'integer', minimum: 0 });
});
