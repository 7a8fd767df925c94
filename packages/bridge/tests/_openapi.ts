import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { z } from 'zod';

import { buildDocument } from '../src/http/openapi/build-document.ts';
import { operations } from '../src/http/openapi/operations.ts';
import { findOperation, parseDocument } from './_openapi-document.ts';
import type { Document, DocumentedOperation } from './_openapi-document.ts';

/** An answer with its body read. */
export interface ReadAnswer {
  status: number;
  /** By name in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

export interface AnswerChecker {
  /** What the document does not say of this answer; empty when all is well. */
  findUndocumented(method: string, path: string, answer: ReadAnswer): string[];
}

/** Of a bridge without workflows. */
export const plainDocument: Document = parseDocument(buildDocument(operations, { version: '0' }));

/** What is wrong with a value by the schema at a place of the document; throws where that is no JSON Schema. */
export type SchemaValidator = (pointer: readonly string[], value: unknown) => string[];

/** Fields that a schema does not name count as wrong, though callers must bear with them in answers. */
export function createSchemaValidator(document: Document): SchemaValidator {
  const ajv = new Ajv2020({
    strictTypes: false,
    strictRequired: false,
    allErrors: true,
    validateFormats: true,
  });
  addFormats.default(ajv);
  for (const format of ['blake3', 'base64']) ajv.addFormat(format, true);
  // Ajv takes the whole document for a schema; within schemas, an unknown keyword is still a mistake.
  ajv.addVocabulary([...Object.keys(document), 'example', 'x-media', 'x-step']);
  ajv.addSchema({ $id: 'document', ...closeObjects(document) });
  const compiled = new Map<string, ValidateFunction>();
  return (pointer, value) => {
    const $ref = `document#/${pointer.map(escapePointer).join('/')}`;
    const check = compiled.get($ref) ?? ajv.compile({ $ref });
    compiled.set($ref, check);
    return check(value) ? [] : (check.errors ?? []).map((error) => ajv.errorsText([error]));
  };
}

/** Holds answers to a document. */
export function createAnswerChecker(document: Document): AnswerChecker {
  const validate = createSchemaValidator(document);

  function checkHeaders({ pointer, operation }: DocumentedOperation, answer: ReadAnswer): string[] {
    const declared = operation.responses[answer.status]?.headers ?? {};
    return Object.entries(declared).flatMap(([name, { required, schema }]) => {
      const value = answer.headers[name.toLowerCase()];
      if (value === undefined) return required === true ? [`header ${name} is missing`] : [];
      const where = [...pointer, 'responses', String(answer.status), 'headers', name, 'schema'];
      return validate(where, schema['type'] === 'integer' ? Number(value) : value).map(
        (error) => `${name}: ${error}`,
      );
    });
  }

  function checkBody({ method, pointer, operation }: DocumentedOperation, answer: ReadAnswer): string[] {
    const content = operation.responses[answer.status]?.content ?? {};
    if (method === 'head') return [];
    if (Object.keys(content).length === 0)
      return answer.body.length === 0 ? [] : ['a body that is not documented'];
    const contentType = (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? '';
    const type = Object.keys(content)
      .toSorted((a, b) => b.replaceAll('*', '').length - a.replaceAll('*', '').length)
      .find((range) => isOfRange(contentType, range));
    if (type === undefined) return [`content type «${contentType}» is not documented`];
    const where = [...pointer, 'responses', String(answer.status), 'content', type, 'schema'];
    if (type === 'application/json') return validate(where, parseJson(answer.body));
    if (type === 'text/event-stream') return checkEvents(operation, answer.body.toString());
    return [];
  }

  function checkEvents(operation: DocumentedOperation['operation'], text: string): string[] {
    const events = operation['x-sse-events'] ?? {};
    return text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((block) => {
        const name = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (name === undefined || data === undefined) return [];
        const schema = events[name]?.schema;
        if (schema === undefined) return [`event ${name} is not documented`];
        return validate(schema.slice(2).split('/'), JSON.parse(data)).map(
          (error) => `event ${name}: ${error}`,
        );
      });
  }

  return {
    findUndocumented(method, path, answer) {
      const found = findOperation(document, method, path);
      if (found === undefined) return [`${method} ${path} is not documented`];
      if (found.operation.responses[answer.status] === undefined)
        return [`status ${answer.status} is not documented: ${answer.body.toString().slice(0, 300)}`];
      return [...checkHeaders(found, answer), ...checkBody(found, answer)];
    },
  };
}

let plain: AnswerChecker | undefined;

/** Fails unless the document of the bridge says what this answer is: status, content type, headers, and each field. */
export async function expectDocumented(method: string, path: string, response: Response): Promise<void> {
  plain ??= createAnswerChecker(plainDocument);
  const answer = {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.clone().arrayBuffer()),
  };
  const problems = plain.findUndocumented(method.toLowerCase(), path, answer);
  expect(
    problems,
    `${method} ${path} answered ${answer.status} ${answer.body.toString().slice(0, 500)}`,
  ).toEqual([]);
}

function escapePointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function isOfRange(contentType: string, range: string): boolean {
  const [type, subtype] = range.split('/');
  return range === '*/*' || contentType === range || (subtype === '*' && contentType.startsWith(`${type}/`));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return new Error('not JSON');
  }
}

/** Objects hold what the document names and no more. Answers may gain fields, but not without being documented. */
function closeObjects(value: unknown): object {
  const closed = close(value);
  return typeof closed === 'object' && closed !== null ? closed : {};
}

const objectSchema = z.looseObject({
  type: z.literal('object'),
  properties: z.record(z.string(), z.unknown()),
});

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, close(item)]));
  const isOpen = objectSchema.safeParse(value).success && !('additionalProperties' in value);
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}
