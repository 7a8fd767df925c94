import { z } from 'zod';

import { describeSecurity } from './describe-security.ts';
import type { Answer, Content, JsonSchema, Operation, Schema } from './operation.ts';
import { describeRefusals } from './refusals.ts';
import type { SchemaWriter } from './write-schema.ts';

/** A part of the document: plain data, written with `stringifyLossless`. */
export type Node = Readonly<Record<string, unknown>>;

/** One operation as OpenAPI has it. What it references is known to the writer afterwards. */
export function describeOperation(
  operation: Operation,
  writer: SchemaWriter,
  { keysRequired }: { keysRequired: boolean },
): Node {
  const { operationId, tag, summary, description, body, extensions } = operation;
  const security = describeSecurity(operation, keysRequired);
  const parameters = [
    ...describeParameters(operation.pathParameters, 'path', writer),
    ...describeParameters(operation.query, 'query', writer),
    ...describeParameters(operation.headers, 'header', writer),
  ];
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        ...(body.description !== undefined && { description: body.description }),
        required: body.required ?? false,
        content: describeContent(body.content, (schema) => writer.write(schema, 'input')),
      },
    }),
    responses: describeAnswers(operation, writer),
    ...(security !== undefined && { security }),
    ...describeEvents(operation, writer),
    ...extensions,
  };
}

function describeParameters(fields: z.ZodObject | undefined, where: string, writer: SchemaWriter): Node[] {
  if (fields === undefined) return [];
  return Object.entries(fields.shape).map(([name, field]) => {
    const { description, example, ...schema } = writer.write(toSchema(field), 'input');
    const isOptional = where !== 'path' && toSchema(field).safeParse(undefined).success;
    return {
      name,
      in: where,
      ...(description !== undefined && { description }),
      required: !isOptional,
      schema,
      ...(example !== undefined && { example }),
    };
  });
}

/** What zod's shapes hold is declared as one of its core's. */
function toSchema(field: unknown): z.ZodType {
  if (field instanceof z.ZodType) return field;
  throw new TypeError('a parameter is no zod schema');
}

function describeContent(content: Content, write: (schema: Schema) => JsonSchema): Node {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      { schema: write(schema), ...(example !== undefined && { example }) },
    ]),
  );
}

function describeAnswers(operation: Operation, writer: SchemaWriter): Node {
  const answers = new Map(
    Object.entries(operation.answers).map(([status, answer]) => [
      status,
      describeAnswer(answer, operation.method === 'head', writer),
    ]),
  );
  for (const [status, answer] of describeRefusals(operation)) {
    const own = answers.get(String(status));
    const refusal = describeAnswer(answer, operation.method === 'head', writer);
    answers.set(String(status), own === undefined ? refusal : { ...refusal, ...own });
  }
  return Object.fromEntries([...answers].toSorted(([a], [b]) => Number(a) - Number(b)));
}

function describeAnswer(answer: Answer, isHead: boolean, writer: SchemaWriter): Node {
  const { description, content, headers = {} } = answer;
  return {
    description,
    ...(Object.keys(headers).length > 0 && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, schema]) => [name, describeHeader(schema, writer)]),
      ),
    }),
    ...(content !== undefined &&
      !isHead && { content: describeContent(content, (schema) => writer.write(schema, 'output')) }),
  };
}

function describeHeader(schema: z.ZodType, writer: SchemaWriter): Node {
  const { description, ...rest } = writer.write(schema, 'output');
  return {
    ...(description !== undefined && { description }),
    required: !schema.safeParse(undefined).success,
    schema: rest,
  };
}

/** Event streams as the official document describes them; frames of the WebSocket alike. */
function describeEvents({ path, events }: Operation, writer: SchemaWriter): Node {
  if (events === undefined) return {};
  const described = Object.entries(events).map(([name, { description, schema }]) => [
    name,
    { description, schema: writer.write(schema, 'output')['$ref'] },
  ]);
  return { [path === '/ws' ? 'x-websocket' : 'x-sse-events']: Object.fromEntries(described) };
}
