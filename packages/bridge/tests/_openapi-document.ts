import { z } from 'zod';

/** As much of an OpenAPI document as the tests look at. */

const schema = z.record(z.string(), z.unknown());
const mediaSchema = z.looseObject({ schema, example: z.unknown().optional() });

const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  schema,
  example: z.unknown().optional(),
});

const responseSchema = z.looseObject({
  description: z.string(),
  headers: z.record(z.string(), z.looseObject({ required: z.boolean().optional(), schema })).optional(),
  content: z.record(z.string(), mediaSchema).optional(),
});

const operationSchema = z.looseObject({
  operationId: z.string(),
  parameters: z.array(parameterSchema).optional(),
  requestBody: z
    .looseObject({ required: z.boolean(), content: z.record(z.string(), mediaSchema) })
    .optional(),
  responses: z.record(z.string(), responseSchema),
  'x-sse-events': z.record(z.string(), z.looseObject({ schema: z.string() })).optional(),
});

const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), schema) }),
});

export type Document = z.infer<typeof documentSchema>;
export type Operation = z.infer<typeof operationSchema>;
export type Parameter = z.infer<typeof parameterSchema>;

export interface DocumentedOperation {
  method: string;
  /** With its parameters in braces. */
  path: string;
  /** Where it stands in the document. */
  pointer: readonly string[];
  operation: Operation;
}

export function parseDocument(value: unknown): Document {
  return documentSchema.parse(value);
}

export function listOperations({ paths }: Document): DocumentedOperation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method,
      path,
      pointer: ['paths', path, method],
      operation,
    })),
  );
}

/** The operation that a request is for: of several paths that fit, the one with the most that is literal. */
export function findOperation(
  document: Document,
  method: string,
  url: string,
): DocumentedOperation | undefined {
  const [path = ''] = url.split('?', 1);
  const known = finders.get(document) ?? toFinder(document);
  finders.set(document, known);
  return known.find(({ found, pattern }) => found.method === method && pattern.test(path))?.found;
}

interface Finder {
  found: DocumentedOperation;
  pattern: RegExp;
}

const finders = new WeakMap<Document, Finder[]>();

function toFinder(document: Document): Finder[] {
  return listOperations(document)
    .toSorted((a, b) => countParameters(a.path) - countParameters(b.path))
    .map((found) => ({ found, pattern: toPattern(found.path) }));
}

function toPattern(path: string): RegExp {
  const parts = path.split(/\{[^}]+\}/).map((literal) => literal.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+')}/?$`);
}

function countParameters(path: string): number {
  return path.split('{').length;
}
