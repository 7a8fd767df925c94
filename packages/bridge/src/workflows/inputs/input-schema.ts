import type { InputValue } from '@comfy-bridge/protocol';

import { checkValue } from './check-value.ts';
import { resolveInput } from './input-spec.ts';
import type { FindDefinition, InputSpec } from './input-spec.ts';
import { nameInputs } from './name-inputs.ts';
import type { NamedInput } from './name-inputs.ts';
import type { ApiInput, PublishedWorkflow } from '../catalog/published-workflow.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * JSON Schema (2020-12) of the `inputs` of a workflow, each under its name. What it accepts can be submitted, with these
 * exceptions: a file must be there, and a text must hold no NUL and no more than 1 MiB of UTF-8. Beyond it are accepted:
 * labels and keys instead of names, lists (one job for each value), `null` for the default, numbers and booleans as text,
 * `\` for `/` in an option, and numbers between two steps. Limits may be `bigint` (seeds end at 2^64-1), so it must be
 * written with `stringifyLossless`.
 */
export function toInputSchema(workflow: PublishedWorkflow, findDefinition: FindDefinition): JsonSchema {
  const named = nameInputs(workflow).map((one) => ({
    ...one,
    spec: resolveInput(one.input, findDefinition(one.input.classType)),
  }));
  const takesFiles = named.some(({ spec }) => spec.format !== undefined);
  const required = named.filter(({ input }) => mustBeSent(input)).map(({ name }) => name);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: workflow.alias,
    ...(workflow.description !== '' && { description: workflow.description }),
    type: 'object',
    properties: Object.fromEntries(named.map((one) => [one.name, toProperty(one, one.spec)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(takesFiles && { $defs: { file: fileSchema } }),
  };
}

/** The author's default is what is used where nothing is sent; without one, something must be. */
export function mustBeSent({ mark, default: value }: ApiInput): boolean {
  return mark.required === true && (value === null || value === '');
}

function toProperty({ label, input }: NamedInput, spec: InputSpec): JsonSchema {
  const { description, required } = input.mark;
  const value = input.default;
  const accepts = spec.format === undefined ? toValueSchema(spec, required === true) : fileReference;
  return {
    title: label ?? `${input.title}: ${input.inputName}`,
    ...(description !== undefined && { description }),
    ...(value !== null && (value !== '' || takesEmpty(input, spec)) && { default: value }),
    ...(spec.format !== undefined && { 'x-media': spec.format }),
    ...(spec.type === 'float' && spec.step !== undefined && { 'x-step': spec.step }),
    ...withDefault(accepts, input, spec),
  };
}

/** Whether an empty text can be sent: where it cannot, it is no default but the lack of one. */
function takesEmpty({ mark }: ApiInput, spec: InputSpec): boolean {
  return mark.required !== true && spec.format === undefined && checkValue('', spec).ok;
}

function toValueSchema(spec: InputSpec, mustNotBeEmpty: boolean): JsonSchema {
  const { options, min, max } = spec;
  if (options !== undefined) {
    const offered = [...new Set(options)].filter((option) => option !== '' || !mustNotBeEmpty);
    const accepted = offered.filter((option) => checkValue(option, spec).ok);
    return accepted.length === 0 ? { not: {} } : { enum: accepted };
  }
  const range = { ...(min !== undefined && { minimum: min }), ...(max !== undefined && { maximum: max }) };
  switch (spec.type) {
    case 'int':
      return { type: 'integer', ...range, ...toMultiple(spec) };
    case 'float':
      return { type: 'number', ...range };
    case 'bool':
      return { type: 'boolean' };
    case 'str':
      return { type: 'string', ...(mustNotBeEmpty && { minLength: 1 }), maxLength: 1_048_576 };
  }
}

/** Steps count from 0 in JSON Schema, from the lowest value in ComfyUI. Fractions are not exact, so they are only a hint. */
function toMultiple({ step, min }: InputSpec): JsonSchema {
  if (step === undefined || step <= 1 || !Number.isSafeInteger(step)) return {};
  return min === undefined || isMultiple(min, step) ? { multipleOf: step } : {};
}

function isMultiple(value: InputValue, step: number): boolean {
  if (typeof value === 'bigint') return value % BigInt(step) === 0n;
  return typeof value === 'number' && value % step === 0;
}

const uuid = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';
const idSchema = { type: 'string', format: 'uuid', pattern: `^${uuid}$` };

/** A file is named, never sent along: by what an upload answered, or by the id of an asset in any of its forms. */
const fileSchema: JsonSchema = {
  anyOf: [
    {
      title: 'Saved name of an uploaded file, or asset id',
      type: 'string',
      pattern: `^${uuid}(\\.[a-z0-9]{1,12})?$`,
    },
    {
      title: 'Asset',
      type: 'object',
      properties: { asset: idSchema },
      required: ['asset'],
      additionalProperties: false,
    },
    {
      title: 'Asset reference, as in a graph',
      type: 'object',
      properties: {
        __type: { const: 'core/ASSET' },
        info: { type: 'object', properties: { id: idSchema }, required: ['id'] },
      },
      required: ['__type', 'info'],
      additionalProperties: false,
    },
  ],
};
const fileReference = { $ref: '#/$defs/file' };

/** The author's own value is always accepted, also where no machine lists it and where it is beyond a limit. */
function withDefault(accepts: JsonSchema, input: ApiInput, spec: InputSpec): JsonSchema {
  const value = input.default;
  if (value === null || value === '') return accepts;
  const own = { title: "The author's own", const: value };
  if (spec.format !== undefined) return { anyOf: [accepts, own] };
  if (Array.isArray(accepts['enum']))
    return accepts['enum'].includes(value) ? accepts : { enum: [...accepts['enum'], value] };
  const checked = checkValue(value, spec);
  // A number that the file holds as text is none to the schema.
  const isInside = checked.ok && checked.value === value && !isBetweenSteps(value, accepts);
  return isInside ? accepts : { anyOf: [accepts, own] };
}

function isBetweenSteps(value: InputValue, { multipleOf }: JsonSchema): boolean {
  return typeof multipleOf === 'number' && !isMultiple(value, multipleOf);
}
