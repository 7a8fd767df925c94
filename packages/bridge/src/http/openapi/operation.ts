import type { ErrorCode } from '@comfy-bridge/protocol';
import type { z } from 'zod';

/** JSON Schema 2020-12 as plain data. Limits may be `bigint`. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * From zod where a schema validates or types it; as plain data where it comes from elsewhere (a workflow, raw bytes): then
 * `definitions`, which it references as `#/$defs/<name>`, become components.
 */
export type Schema = z.ZodType | { raw: JsonSchema; definitions?: Definitions };

/** By the name of each within its schema: its name as a component. */
export type Definitions = Readonly<Record<string, { component: string; schema: JsonSchema }>>;

export interface Media {
  schema: Schema;
  example?: unknown;
}

/** Content type to what it holds. */
export type Content = Readonly<Record<string, Media>>;

export interface Answer {
  description: string;
  content?: Content;
  headers?: Readonly<Record<string, z.ZodType>>;
}

export const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;
export type Method = (typeof methods)[number];

export const tags = {
  workflows: 'Published workflows, their inputs, and running them. Start here.',
  jobs: 'One execution of a workflow each: what became of it, its events, its results. `/api/v2` is Comfy API v2.',
  assets:
    'Files, each a record over content that is stored once. Comfy API v2, and resumable uploads beside it.',
  compatibility: 'The API of the original bridge, which clients in the field speak.',
  operation: 'For operators: the fleet, and what it is required to have.',
  service: 'Health, and this document.',
} as const;
export type Tag = keyof typeof tags;

/** One method of one path: all that the document says of it. */
export interface Operation {
  method: Method;
  /** With parameters in braces; without the base path. */
  path: string;
  operationId: string;
  tag: Tag;
  summary: string;
  description?: string;
  /** `operator`: without keys too, needs the operator token (without one: this machine). Default: everybody, where keys are off. */
  access?: 'operator';
  /** Objects whose fields are the parameters. */
  pathParameters?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: { description?: string; required?: boolean; content: Content };
  answers: Readonly<Record<number, Answer>>;
  /** Why it may be refused; what every operation may answer is added. */
  refusals?: readonly ErrorCode[];
  /** Of an event stream: event name to what its data is. */
  events?: Readonly<Record<string, { description: string; schema: z.ZodType }>>;
  /** Further fields, each beginning with `x-`. */
  extensions?: Readonly<Record<`x-${string}`, unknown>>;
}

/** A JSON body or answer. */
export function json(schema: Schema, example?: unknown): Content {
  return { 'application/json': example === undefined ? { schema } : { schema, example } };
}

/** Raw bytes of any of these content types. */
export function bytes(...contentTypes: readonly string[]): Content {
  const schema = { raw: { type: 'string', format: 'binary' } };
  return Object.fromEntries(contentTypes.map((type) => [type, { schema }]));
}
