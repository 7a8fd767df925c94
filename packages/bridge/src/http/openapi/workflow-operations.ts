import { createHash } from 'node:crypto';

import { namedSubmitSchema, v2JobSchema } from '@comfy-bridge/protocol';

import { isRecord } from '../../lib/is-record.ts';
import { runAnswers, runOperation } from './bridge-workflows.ts';
import { json } from './operation.ts';
import type { Definitions, JsonSchema, Operation, Schema } from './operation.ts';
import { createSchemaWriter } from './write-schema.ts';

/** What the document says of a published workflow. */
export interface DescribedWorkflow {
  alias: string;
  description: string;
  /** JSON Schema of the `inputs` of a job. */
  inputSchema: JsonSchema;
}

const ownAnswers = runAnswers(json(v2JobSchema));

/** One operation for each published workflow: running it, with its own inputs. */
export function describeWorkflows(workflows: readonly DescribedWorkflow[]): Operation[] {
  const body = createSchemaWriter().write(namedSubmitSchema.omit({ combine: true }), 'input');
  const taken = new Set<string>();
  return workflows.map(({ alias, description, inputSchema }) => {
    const { pathParameters: _path, description: _description, ...general } = runOperation;
    return {
      ...general,
      path: runOperation.path.replace('{alias}', encodeURIComponent(alias)),
      operationId: nameOperation(alias, taken),
      summary: `Run ${alias}`,
      ...(description !== '' && { description }),
      body: {
        required: true,
        content: json(toBody(body, inputSchema), { inputs: toExample(inputSchema) }),
      },
      answers: ownAnswers,
    };
  });
}

/** `runTextToImage`; with a digest where another has that name already, or nothing of an alias is left. */
function nameOperation(alias: string, taken: Set<string>): string {
  const words =
    alias
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .match(/[A-Za-z0-9]+/g) ?? [];
  const name = `run${words.map(capitalize).join('')}`;
  const isOwn = words.length > 0 && name !== runOperation.operationId && !taken.has(name);
  const digest = createHash('sha256').update(alias).digest('hex').slice(0, 8);
  const given = isOwn ? name : `${name}_${digest}`;
  taken.add(given);
  return given;
}

/** The author's values: what would be used anyway, to begin from. */
function toExample({ properties }: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(Object(properties)).flatMap(([name, schema]) =>
      isRecord(schema) && schema['default'] !== undefined ? [[name, schema['default']]] : [],
    ),
  );
}

/** What may be sent for any workflow, with this one's inputs, and one value for each: a typed call makes one job. */
function toBody(body: JsonSchema, inputSchema: JsonSchema): Schema {
  const { $schema: _dialect, $defs: definitions, ...inputs } = inputSchema;
  const { required } = inputs;
  const raw = {
    ...body,
    properties: { ...Object(body['properties']), inputs },
    ...(Array.isArray(required) && required.length > 0 && { required: ['inputs'] }),
  };
  return { raw, definitions: toDefinitions(definitions) };
}

/** What a workflow's schema defines is the same for all of them: `file` is the component `WorkflowFile`. */
function toDefinitions(definitions: unknown): Definitions {
  return Object.fromEntries(
    Object.entries(Object(definitions)).flatMap(([name, schema]) =>
      isRecord(schema) ? [[name, { component: `Workflow${capitalize(name)}`, schema }]] : [],
    ),
  );
}

function capitalize(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
