import { isDeepStrictEqual } from 'node:util';

import type { Document, Operation, Parameter } from './_openapi-document.ts';
import { createSchemaComparer } from './_openapi-schemas.ts';
import type { SchemaComparer } from './_openapi-schemas.ts';

export interface CompareOptions {
  /** Values of closed lists that the official contract has, and that an answer below `/api/v2` may begin to use. */
  officialValues: readonly string[];
}

/** What of `after` breaks callers that were made for `before`; empty when nothing does. Pure. */
export function findBreakingChanges(before: Document, after: Document, options: CompareOptions): string[] {
  const compare = createSchemaComparer(before, after);
  return Object.entries(before.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, old]) => {
      const where = `${method} ${path}`;
      const now = after.paths[path]?.[method];
      if (now === undefined) return [`${where}: the operation is gone`];
      const allowed = path.startsWith('/api/v2/') ? options.officialValues : [];
      return compareOperations(old, now, { where, compare, allowed });
    }),
  );
}

/** Whether anything differs that callers can see: the version of the bridge is not. */
export function isSame(before: Document, after: Document): boolean {
  return isDeepStrictEqual({ ...before, info: undefined }, { ...after, info: undefined });
}

interface Context {
  where: string;
  compare: SchemaComparer;
  allowed: readonly string[];
}

function compareOperations(old: Operation, now: Operation, context: Context): string[] {
  const { where } = context;
  return [
    ...(old.operationId === now.operationId
      ? []
      : [`${where}: its operationId is another: ${now.operationId}`]),
    ...compareParameters(old.parameters ?? [], now.parameters ?? [], context),
    ...compareBodies(old.requestBody, now.requestBody, context),
    ...compareAnswers(old.responses, now.responses, context),
    ...compareEvents(old['x-sse-events'] ?? {}, now['x-sse-events'] ?? {}, context),
  ];
}

function compareParameters(old: Parameter[], now: Parameter[], { where, compare }: Context): string[] {
  const find = (list: Parameter[], { name, in: place }: Parameter) =>
    list.find((parameter) => parameter.name === name && parameter.in === place);
  const kept = old.flatMap((parameter) => {
    const name = `${where}: parameter ${parameter.name}`;
    const match = find(now, parameter);
    if (match === undefined) return [`${name} is gone`];
    const isStricter = match.required && !parameter.required;
    return [
      ...(isStricter ? [`${name} is newly required`] : []),
      ...compare.sent(parameter.schema, match.schema, name),
    ];
  });
  const added = now.filter((parameter) => parameter.required && find(old, parameter) === undefined);
  return [...kept, ...added.map(({ name }) => `${where}: parameter ${name} is newly required`)];
}

type Body = Operation['requestBody'];

function compareBodies(old: Body, now: Body, { where, compare }: Context): string[] {
  if (old === undefined) return now?.required === true ? [`${where}: a body is newly required`] : [];
  if (now === undefined) return [`${where}: its body is gone`];
  return [
    ...(now.required && !old.required ? [`${where}: its body is newly required`] : []),
    ...Object.entries(old.content).flatMap(([type, { schema }]) => {
      const match = now.content[type];
      if (match === undefined) return [`${where}: it no longer takes ${type}`];
      return compare.sent(schema, match.schema, `${where}: body`);
    }),
  ];
}

type Answers = Operation['responses'];

function compareAnswers(old: Answers, now: Answers, { where, compare, allowed }: Context): string[] {
  return Object.entries(old).flatMap(([status, answer]) => {
    const name = `${where}: ${status}`;
    const match = now[status];
    if (match === undefined) return [`${name} is gone`];
    const headers = Object.entries(answer.headers ?? {}).flatMap(([header, { required }]) => {
      const isPromised = match.headers?.[header]?.required === true;
      if (match.headers?.[header] === undefined) return [`${name}: header ${header} is gone`];
      return required === true && !isPromised ? [`${name}: header ${header} is no longer always there`] : [];
    });
    const content = Object.entries(answer.content ?? {}).flatMap(([type, { schema }]) => {
      const other = match.content?.[type];
      if (other === undefined) return [`${name} is no longer ${type}`];
      return compare.answered(schema, other.schema, name, allowed);
    });
    return [...headers, ...content];
  });
}

type Events = Record<string, { schema: string }>;

function compareEvents(old: Events, now: Events, { where, compare, allowed }: Context): string[] {
  return Object.entries(old).flatMap(([name, { schema }]) => {
    const match = now[name];
    if (match === undefined) return [`${where}: event ${name} is gone`];
    return compare.answered({ $ref: schema }, { $ref: match.schema }, `${where}: event ${name}`, allowed);
  });
}
