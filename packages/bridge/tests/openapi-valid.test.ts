import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';

import { listOperations, parseDocument } from './_openapi-document.ts';
import { createSchemaValidator } from './_openapi.ts';
import { startBridge } from './_start-bridge.ts';

/** As it is served, with an operation for each workflow. */
async function readServed(): Promise<unknown> {
  await using t = await startBridge();
  return await (await t.get('/openapi.json')).json();
}

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(Object(await readServed()));
  expect(result).toMatchObject({ valid: true });
  const broken = await new Validator().validate({ openapi: '3.1.1', info: { title: 'x' }, paths: {} });
  expect(broken).toMatchObject({ valid: false });
});

test(
  'every schema of it is valid JSON Schema, and every example is what its schema says',
  { timeout: 20_000 },
  async () => {
    const document = parseDocument(await readServed());
    const validate = createSchemaValidator(document);
    for (const name of Object.keys(document.components.schemas))
      validate(['components', 'schemas', name], null);
    const problems = listOperations(document).flatMap(({ pointer, operation }) => {
      const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
        ([type, media]) => [[...pointer, 'requestBody', 'content', type, 'schema'], media.example] as const,
      );
      const answers = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
        Object.entries(content).map(
          ([type, media]) =>
            [[...pointer, 'responses', status, 'content', type, 'schema'], media.example] as const,
        ),
      );
      const parameters = (operation.parameters ?? []).map(
        (parameter, at) => [[...pointer, 'parameters', String(at), 'schema'], parameter.example] as const,
      );
      return [...bodies, ...answers, ...parameters].flatMap(([where, example]) => {
        const found = validate(where, example ?? null);
        return example === undefined ? [] : found.map((problem) => `${where.join('/')}: ${problem}`);
      });
    });
    expect(problems).toEqual([]);
  },
);
