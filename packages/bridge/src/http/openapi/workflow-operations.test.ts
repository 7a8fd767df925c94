import { expect, test } from 'vitest';

import { stringifyLossless } from '../../lib/lossless-json.ts';
import { buildDocument } from './build-document.ts';
import { describeWorkflows } from './workflow-operations.ts';

const toWorkflow = (alias: string) => ({ alias, description: '', inputSchema: { type: 'object' } });
const namesOf = (...aliases: string[]) =>
  describeWorkflows(aliases.map(toWorkflow)).map(({ operationId }) => operationId);

test('an operation is named after its workflow', () => {
  expect(namesOf('text-to-image', 'upscale2x', 'Crop & Résize')).toEqual([
    'runTextToImage',
    'runUpscale2x',
    'runCropResize',
  ]);
});

test('names that would be the same, or nothing, have a digest of the alias', () => {
  const names = namesOf('a-b', 'a_b', '그림', '사진', 'workflow');
  expect(names[0]).toBe('runAB');
  expect(names[1]).toMatch(/^runAB_[0-9a-f]{8}$/);
  expect(names[2]).toMatch(/^run_[0-9a-f]{8}$/);
  expect(names[4]).toMatch(/^runWorkflow_[0-9a-f]{8}$/);
  expect(new Set(names).size).toBe(5);
});

test('an alias is encoded in its path', () => {
  expect(describeWorkflows([toWorkflow('a/b {c}')])[0]?.path).toBe(
    '/api/bridge/workflows/a%2Fb%20%7Bc%7D/jobs',
  );
});

test('what a schema of inputs defines becomes a component, and its limits keep all their digits', () => {
  const inputSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      picture: { $ref: '#/$defs/file' },
      seed: { type: 'integer', maximum: 18446744073709551615n, default: 7 },
    },
    required: ['picture'],
    $defs: { file: { type: 'string', title: 'File' } },
  };
  const operations = describeWorkflows([{ alias: 'x', description: 'Does x.', inputSchema }]);
  const text = stringifyLossless(buildDocument(operations, { version: '1' }));
  expect(text).toContain('"maximum":18446744073709551615');
  expect(text).not.toContain('$defs');
  expect(JSON.parse(text)).toMatchObject({
    paths: {
      '/api/bridge/workflows/x/jobs': {
        post: {
          operationId: 'runX',
          description: 'Does x.',
          requestBody: {
            content: {
              'application/json': {
                schema: {
                  required: ['inputs'],
                  properties: {
                    inputs: { properties: { picture: { $ref: '#/components/schemas/WorkflowFile' } } },
                  },
                },
                example: { inputs: { seed: 7 } },
              },
            },
          },
        },
      },
    },
    components: { schemas: { WorkflowFile: { type: 'string', title: 'File' } } },
  });
});
