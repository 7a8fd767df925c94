import { readFile } from 'node:fs/promises';

import { jobStatusSchema, outputTypeSchema } from '@comfy-bridge/protocol';
import { describe, expect, test } from 'vitest';

import { findBreakingChanges, isSame } from './_openapi-changes.ts';
import { parseDocument } from './_openapi-document.ts';
import type { Document } from './_openapi-document.ts';
import { plainDocument } from './_openapi.ts';

/** The closed lists of Comfy API v2, version 2.0.0. */
const officialValues = [
  ...['queued', 'running', 'succeeded', 'canceling', 'canceled', 'failed', 'expired'],
  ...['image', 'video', 'audio', 'text', 'file', 'latent'],
];
const options = { officialValues };

test('nothing that was promised in docs/openapi.json is broken, and what is new is written there', async () => {
  const url = new URL('../../../docs/openapi.json', import.meta.url);
  const committed = parseDocument(JSON.parse(await readFile(url, 'utf8')));
  expect(findBreakingChanges(committed, plainDocument, options)).toEqual([]);
  const current = parseDocument(JSON.parse(JSON.stringify(plainDocument)));
  expect(isSame(committed, current), 'the document has grown: run node scripts/write-openapi.ts').toBe(true);
});

test('the closed lists are those of the official contract', () => {
  expect([...jobStatusSchema.options, ...outputTypeSchema.options]).toEqual(officialValues);
});

/** A small document to change. */
const base = {
  paths: {
    '/api/v2/things': {
      post: {
        operationId: 'postThing',
        parameters: [
          {
            name: 'limit',
            in: 'query',
            required: false,
            schema: { type: 'integer', minimum: 1, maximum: 9 },
          },
          { name: 'kind', in: 'query', required: true, schema: { type: 'string', enum: ['a', 'b'] } },
        ],
        requestBody: {
          required: false,
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  text: { type: ['string', 'null'] },
                  size: { type: 'number' },
                  old: { type: 'string' },
                },
                required: ['text'],
                additionalProperties: false,
              },
            },
          },
        },
        responses: {
          200: {
            description: 'done',
            headers: { ETag: { required: true, schema: { type: 'string' } } },
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
          404: { description: 'not there' },
        },
        'x-sse-events': { status: { schema: '#/components/schemas/Thing' } },
      },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: 'object',
        properties: {
          id: { type: 'string', format: 'uuid' },
          state: { type: 'string', enum: ['queued'] },
          note: { type: 'string' },
          list: { type: 'array', items: { type: 'integer' } },
        },
        required: ['id', 'state'],
      },
    },
  },
};

type Base = typeof base;

/** The same document after a change. */
function changed(change: (document: Base) => void): Document {
  const copy = structuredClone(base);
  change(copy);
  return parseDocument(copy);
}

const operationOf = ({ paths }: Base) => paths['/api/v2/things'].post;
const bodyOf = (document: Base) => operationOf(document).requestBody.content['application/json'].schema;
const thingOf = ({ components }: Base) => components.schemas.Thing;
const find = (change: (document: Base) => void) =>
  findBreakingChanges(parseDocument(base), changed(change), options);
const where = 'post /api/v2/things';

describe('what breaks callers is found', () => {
  test.each<[string, (document: Base) => void, string]>([
    [
      'an operation is gone',
      ({ paths }) => Reflect.deleteProperty(paths, '/api/v2/things'),
      `${where}: the operation is gone`,
    ],
    [
      'an operationId changes',
      (d) => (operationOf(d).operationId = 'x'),
      `${where}: its operationId is another: x`,
    ],
    ['a parameter is gone', (d) => operationOf(d).parameters.shift(), `${where}: parameter limit is gone`],
    [
      'a parameter is newly required',
      (d) => operationOf(d).parameters.forEach((parameter) => (parameter.required = true)),
      `${where}: parameter limit is newly required`,
    ],
    [
      'a required parameter is added',
      (d) =>
        operationOf(d).parameters.push({
          name: 'new',
          in: 'query',
          required: true,
          schema: { type: 'string', enum: [] },
        }),
      `${where}: parameter new is newly required`,
    ],
    [
      'a list of a parameter loses a value',
      (d) => operationOf(d).parameters[1]?.schema.enum?.pop(),
      `${where}: parameter kind may no longer be "b"`,
    ],
    [
      'a limit of a parameter is lowered',
      (d) => Object.assign(operationOf(d).parameters[0]?.schema ?? {}, { maximum: 5 }),
      `${where}: parameter limit has another maximum`,
    ],
    [
      'a limit of a parameter is raised',
      (d) => Object.assign(operationOf(d).parameters[0]?.schema ?? {}, { minimum: 2 }),
      `${where}: parameter limit has another minimum`,
    ],
    [
      'a body is newly required',
      (d) => (operationOf(d).requestBody.required = true),
      `${where}: its body is newly required`,
    ],
    [
      'a body is gone',
      (d) => Reflect.deleteProperty(operationOf(d), 'requestBody'),
      `${where}: its body is gone`,
    ],
    [
      'a content type is no longer taken',
      (d) => Reflect.deleteProperty(operationOf(d).requestBody.content, 'application/json'),
      `${where}: it no longer takes application/json`,
    ],
    [
      'a field is newly required',
      (d) => bodyOf(d).required.push('size'),
      `${where}: body.size is newly required`,
    ],
    [
      'a field is no longer taken',
      (d) => Reflect.deleteProperty(bodyOf(d).properties, 'old'),
      `${where}: body.old is no longer taken`,
    ],
    [
      'a field may no longer be null',
      (d) => bodyOf(d).properties.text.type.pop(),
      `${where}: body.text may no longer be null`,
    ],
    [
      'a type is narrowed',
      (d) => (bodyOf(d).properties.size.type = 'integer'),
      `${where}: body.size may no longer be number`,
    ],
    [
      'a pattern is added',
      (d) => Object.assign(bodyOf(d).properties.old, { pattern: '^x' }),
      `${where}: body.old has another pattern`,
    ],
    [
      'free text becomes a closed list',
      (d) => Object.assign(bodyOf(d).properties.old, { enum: ['x'] }),
      `${where}: body.old may no longer be anything`,
    ],
    [
      'a status is gone',
      (d) => Reflect.deleteProperty(operationOf(d).responses, 404),
      `${where}: 404 is gone`,
    ],
    [
      'a header is no longer promised',
      (d) => (operationOf(d).responses[200].headers.ETag.required = false),
      `${where}: 200: header ETag is no longer always there`,
    ],
    [
      'a header is gone',
      (d) => Reflect.deleteProperty(operationOf(d).responses[200].headers, 'ETag'),
      `${where}: 200: header ETag is gone`,
    ],
    [
      'an answer has another content type',
      (d) => Reflect.deleteProperty(operationOf(d).responses[200].content, 'application/json'),
      `${where}: 200 is no longer application/json`,
    ],
    [
      'a field of an answer is gone',
      (d) => Reflect.deleteProperty(thingOf(d).properties, 'note'),
      `${where}: 200.note is gone`,
    ],
    [
      'a field of an answer may be missing',
      (d) => thingOf(d).required.pop(),
      `${where}: 200.state is no longer always there`,
    ],
    [
      'a field of an answer may be null',
      (d) => Object.assign(thingOf(d).properties.note, { type: ['string', 'null'] }),
      `${where}: 200.note may now be null`,
    ],
    [
      'a type of an answer is another',
      (d) => (thingOf(d).properties.list.items.type = 'string'),
      `${where}: 200.list[] may now be string`,
    ],
    [
      'a format of an answer is another',
      (d) => (thingOf(d).properties.id.format = 'uri'),
      `${where}: 200.id has another format`,
    ],
    [
      'a list of an answer gains a value that is not official',
      (d) => thingOf(d).properties.state.enum.push('napping'),
      `${where}: 200.state may now be "napping"`,
    ],
    [
      'an event is gone',
      (d) => Reflect.deleteProperty(operationOf(d)['x-sse-events'], 'status'),
      `${where}: event status is gone`,
    ],
    [
      'a field of an event is gone',
      (d) => Reflect.deleteProperty(thingOf(d).properties, 'note'),
      `${where}: event status.note is gone`,
    ],
  ])('%s', (_name, change, problem) => {
    expect(find(change)).toContain(problem);
  });

  test('a list of an answer outside of /api/v2 gains an official value', () => {
    const move = ({ paths }: Base) => ({ '/things': paths['/api/v2/things'] });
    const before = parseDocument({ ...base, paths: move(base) });
    const copy = structuredClone(base);
    thingOf(copy).properties.state.enum.push('running');
    const after = parseDocument({ ...copy, paths: move(copy) });
    expect(findBreakingChanges(before, after, options)).toContain(
      'post /things: 200.state may now be "running"',
    );
  });
});

describe('what callers can bear is not', () => {
  test.each<[string, (document: Base) => void]>([
    ['nothing changes', () => {}],
    ['an operation is added', ({ paths }) => Object.assign(paths, { '/new': paths['/api/v2/things'] })],
    [
      'an optional parameter is added',
      (d) =>
        operationOf(d).parameters.push({
          name: 'new',
          in: 'query',
          required: false,
          schema: { type: 'string', enum: [] },
        }),
    ],
    [
      'a limit is widened',
      (d) => Object.assign(operationOf(d).parameters[0]?.schema ?? {}, { minimum: 0, maximum: 10 }),
    ],
    ['a list of a parameter gains a value', (d) => operationOf(d).parameters[1]?.schema.enum?.push('c')],
    ['a field may be left out', (d) => bodyOf(d).required.pop()],
    ['an optional field is added', (d) => Object.assign(bodyOf(d).properties, { fresh: { type: 'string' } })],
    [
      'a field of an answer is added',
      (d) => Object.assign(thingOf(d).properties, { fresh: { type: 'string' } }),
    ],
    ['a field of an answer is promised', (d) => thingOf(d).required.push('note')],
    [
      'a status is added',
      (d) => Object.assign(operationOf(d).responses, { 409: { description: 'conflict' } }),
    ],
    [
      'a list of an answer of v2 gains an official value',
      (d) => thingOf(d).properties.state.enum.push('running'),
    ],
    [
      'an event is added',
      (d) => Object.assign(operationOf(d)['x-sse-events'], { log: { schema: '#/components/schemas/Thing' } }),
    ],
  ])('%s', (_name, change) => {
    expect(find(change)).toEqual([]);
  });
});
