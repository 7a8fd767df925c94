import * as fc from 'fast-check';

import { listOperations } from './_openapi-document.ts';
import type { Document, DocumentedOperation, Parameter } from './_openapi-document.ts';
import { createSchemaValues, junkText, junkValue } from './_openapi-values.ts';

export interface FuzzedRequest {
  operationId: string;
  method: string;
  /** With places of the pool (`{{job:3}}`) to be filled when it is sent. */
  url: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export interface FuzzOptions {
  /** A valid file. */
  png: Buffer;
  /** Values for a parameter or a field of that name, whatever its schema says. */
  named: Readonly<Record<string, fc.Arbitrary<unknown>>>;
  /** The same, for one operation alone (`operationId.name`), or for its body (`operationId.body`). */
  own: Readonly<Record<string, fc.Arbitrary<unknown>>>;
}

export type IdKind = 'job' | 'group' | 'upload' | 'asset' | 'saved' | 'hash';

/** An id of that kind that an earlier answer told; which one is known when the request is sent. */
export function pooled(kind: IdKind): fc.Arbitrary<string> {
  return fc.nat({ max: 29 }).map((place) => `{{${kind}:${place}}}`);
}

/** Requests for every operation: as it is meant, nearly so, and broken in its path, query, headers or body. */
export function createFuzzedRequests(document: Document, options: FuzzOptions): fc.Arbitrary<FuzzedRequest> {
  const values = createSchemaValues(document, options.named);
  const operations = listOperations(document).filter(({ path }) => path !== '/ws');
  return fc.oneof(...operations.map((operation) => fuzz(operation)));

  function fuzz({ method, path, operation }: DocumentedOperation): fc.Arbitrary<FuzzedRequest> {
    const { operationId, parameters = [] } = operation;
    const of = (place: string) => parameters.filter((parameter) => parameter.in === place);
    return fc
      .record({
        method: fc.oneof(
          { weight: 40, arbitrary: fc.constant(method) },
          { weight: 1, arbitrary: fc.constantFrom('get', 'put', 'delete', 'patch', 'post', 'head') },
        ),
        path: fillPath(path, of('path'), operationId),
        query: fc.tuple(...of('query').map((parameter) => toPair(parameter, operationId))),
        stray: fc.option(fc.tuple(fc.constantFrom('x', 'clientId', 'after', '__proto__'), junkText), {
          freq: 20,
        }),
        headers: fc.tuple(...of('header').map((parameter) => toPair(parameter, operationId))),
        body: toBody(operation, options.own[`${operationId}.body`]),
        secret: fc.option(fc.constantFrom('Bearer me', 'Bearer you', 'Bearer', 'Basic eDp5'), { freq: 3 }),
      })
      .map(({ method, path, query, stray, headers, body, secret }) => {
        const pairs = [...query.flat(), ...(stray === null ? [] : [stray])];
        const search = new URLSearchParams(
          pairs.map(([name, value]): [string, string] => [name, value.toWellFormed()]),
        );
        return {
          operationId,
          method,
          url: `${path}${search.size === 0 ? '' : `?${search.toString().replaceAll(/%7B%7B(\w+)%3A(\d+)%7D%7D/g, '{{$1:$2}}')}`}`,
          headers: {
            ...Object.fromEntries(headers.flat().map(([name, value]) => [name, toHeader(value)])),
            ...(secret !== null && { authorization: secret }),
            ...(body?.contentType !== undefined && { 'content-type': toHeader(body.contentType) }),
          },
          body: body?.bytes,
        };
      });
  }

  function fillPath(path: string, parameters: Parameter[], operationId: string): fc.Arbitrary<string> {
    return fc
      .tuple(...parameters.map((parameter) => pathValue(parameter, operationId)))
      .map((parts) => parts.reduce((filled, [name, value]) => filled.replace(`{${name}}`, value), path));
  }

  function pathValue(parameter: Parameter, operationId: string): fc.Arbitrary<readonly [string, string]> {
    const broken = fc.constantFrom(
      '%',
      '%ZZ',
      '%00',
      '..',
      '.',
      'a%2Fb',
      '%2e%2e%2f%2e%2e',
      '%F0%9F',
      '__proto__',
    );
    return fc
      .oneof(
        { weight: 8, arbitrary: textOf(parameter, operationId).map(encodePart) },
        { weight: 1, arbitrary: broken },
        { weight: 1, arbitrary: junkText.map(encodePart) },
      )
      .map((value) => [parameter.name, value] as const);
  }

  function textOf({ name, schema, example }: Parameter, operationId: string): fc.Arbitrary<string> {
    const own =
      options.own[`${operationId}.${name}`] ??
      idOf(operationId, name) ??
      options.named[name] ??
      options.named[`${name}:string`];
    const meant = own ?? fc.oneof(values.of(schema), fc.constant(example ?? 'x'));
    return meant.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  }

  /** None, one, or twice the same. */
  function toPair(parameter: Parameter, operationId: string): fc.Arbitrary<[string, string][]> {
    const value = fc.oneof(
      { weight: 8, arbitrary: textOf(parameter, operationId) },
      { weight: 1, arbitrary: junkText },
    );
    const pair = value.map((text): [string, string] => [parameter.name, text]);
    const given = pair.map((one) => [one]);
    const twice = fc.tuple(pair, pair);
    const none = fc.constant<[string, string][]>([]);
    return fc.oneof(
      { weight: parameter.required ? 20 : 8, arbitrary: given },
      { weight: 1, arbitrary: twice },
      { weight: parameter.required ? 1 : 12, arbitrary: none },
    );
  }

  function idOf(operationId: string, name: string): fc.Arbitrary<string> | undefined {
    if (name === 'hash') return pooled('hash');
    if (name !== 'id') return undefined;
    if (/Group/.test(operationId)) return pooled('group');
    if (/Upload/.test(operationId)) return pooled('upload');
    return pooled(/Asset/.test(operationId) ? 'asset' : 'job');
  }

  function toBody(
    { requestBody }: DocumentedOperation['operation'],
    own: fc.Arbitrary<unknown> | undefined,
  ): fc.Arbitrary<FuzzedBody | undefined> {
    const stray = fc.record({
      contentType: fc.constant('application/json'),
      bytes: fc.constant(Buffer.from('{}')),
    });
    if (requestBody === undefined)
      return fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: stray });
    const [[contentType, media] = ['', undefined]] = Object.entries(requestBody.content);
    const meant =
      media === undefined
        ? stray
        : toContent(contentType, media.schema, own ?? fc.constant(media.example ?? {}));
    const otherType = fc.constantFrom(
      undefined,
      'text/plain',
      'application/json',
      'multipart/form-data',
      'nonsense',
    );
    const garbage = fc.record({
      contentType: fc.oneof(fc.constant(contentType), otherType),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom('', '{', '[]', 'null', '"x"', '{"a":1}x', '['.repeat(5_000))
          .map((text) => Buffer.from(text)),
      ),
    });
    return fc.oneof(
      { weight: 12, arbitrary: meant },
      {
        weight: 1,
        arbitrary: fc.tuple(meant, otherType).map(([{ bytes }, type]) => ({ contentType: type, bytes })),
      },
      { weight: 1, arbitrary: garbage },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
  }

  function toContent(
    contentType: string,
    schema: Parameter['schema'],
    meant: fc.Arbitrary<unknown>,
  ): fc.Arbitrary<FuzzedBody> {
    if (contentType === 'multipart/form-data') return values.form(schema, options.png);
    if (contentType !== 'application/json') {
      const some = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
      return fc.oneof(some, fc.constant(options.png)).map((bytes) => ({ contentType, bytes }));
    }
    const value = fc.oneof(
      { weight: 6, arbitrary: values.of(schema) },
      { weight: 4, arbitrary: meant },
      { weight: 2, arbitrary: values.broken(schema) },
      { weight: 1, arbitrary: junkValue },
    );
    return value.map((item) => ({ contentType, bytes: Buffer.from(JSON.stringify(item) ?? 'undefined') }));
  }
}

interface FuzzedBody {
  contentType: string | undefined;
  bytes: Buffer;
}

function encodePart(value: string): string {
  return /^\{\{\w+:\d+\}\}$/.test(value) ? value : encodeURIComponent(value.toWellFormed());
}

/** What a client can send at all: Latin-1 without control characters. */
function toHeader(value: string): string {
  return value.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?').trim();
}
