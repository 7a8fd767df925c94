import type { InputType, InputValue, MediaFormat } from '@comfy-bridge/protocol';
import type { NodeDefinition, NodeInputSpec } from '../../comfy/object-info.ts';
import { fileFormat } from './file-input.ts';
import type { ApiInput } from '../catalog/published-workflow.ts';

/** A node class as the whole fleet knows it (options united over the backends); undefined when no backend has it. */
export type FindDefinition = (classType: string) => NodeDefinition | undefined;

/** What a caller may send for one API input: the node's definition, narrowed by the author's mark. */
export interface InputSpec {
  type: InputType;
  format: MediaFormat | undefined;
  /** Never empty. */
  options: readonly (string | number | boolean)[] | undefined;
  /** A `bigint` where a double cannot hold the limit (seeds end at 2^64-1). */
  min: number | bigint | undefined;
  max: number | bigint | undefined;
  step: number | undefined;
  required: boolean;
}

/** A mark makes the definition stricter, never looser. Without a definition the mark and the JSON value decide. */
export function resolveInput(input: ApiInput, definition: NodeDefinition | undefined): InputSpec {
  const spec = definition?.inputs.get(input.inputName);
  const { mark } = input;
  const format = mark.format ?? fileFormat(input.classType, input.inputName, spec);
  const type = format === undefined ? typeOf(input, spec) : 'str';
  const number = type === 'int' || type === 'float';
  return {
    type,
    format,
    options: format === undefined ? optionsOf(input, spec) : undefined,
    ...(number ? rangeOf(input, spec, type) : { min: undefined, max: undefined }),
    step: number ? (mark.step ?? spec?.step) : undefined,
    required: mark.required ?? false,
  };
}

const typesByDefinition: ReadonlyMap<string, InputType> = new Map([
  ['INT', 'int'],
  ['FLOAT', 'float'],
  ['BOOLEAN', 'bool'],
  ['STRING', 'str'],
]);

function typeOf(input: ApiInput, spec: NodeInputSpec | undefined): InputType {
  const [option] = (spec?.type === 'COMBO' && spec.options) || [];
  const defined =
    spec && (typesByDefinition.get(spec.type) ?? (option === undefined ? undefined : jsonType(option)));
  // Whole numbers only is stricter than the definition's float; any other disagreement is the mark's mistake.
  if (defined === 'float' && input.mark.type === 'int') return 'int';
  return defined ?? input.mark.type ?? jsonType(input.default, input.writtenAsFloat);
}

function jsonType(value: InputValue | null, writtenAsFloat = false): InputType {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return writtenAsFloat || !Number.isInteger(value) ? 'float' : 'int';
  return 'str';
}

function optionsOf(input: ApiInput, spec: NodeInputSpec | undefined): InputSpec['options'] {
  const marked = input.mark.options;
  // An empty list is a folder without files on every backend we see: it says nothing about what is allowed.
  const offered = spec?.options?.length ? spec.options : undefined;
  if (marked === undefined || offered === undefined) return marked ?? offered;
  const both = marked.flatMap((option) => matchOption(offered, option) ?? []);
  return both.length > 0 ? both : marked;
}

/**
 * The option that a value means, in the definition's own spelling; undefined when there is none. Model names of backends
 * on Windows have `\` where others have `/`, and forms send numbers as text.
 */
export function matchOption(
  options: readonly (string | number | boolean)[],
  value: InputValue,
): string | number | boolean | undefined {
  const exact = options.find((option) => option === value);
  if (exact !== undefined || typeof value !== 'string') return exact;
  const wanted = value.replaceAll('\\', '/');
  return options.find((option) => String(option).replaceAll('\\', '/') === wanted);
}

type Limit = number | bigint;
type Range = Pick<InputSpec, 'min' | 'max'>;

/** The stricter of the mark's and the definition's limits. A mark that would allow nothing at all is left out. */
function rangeOf({ mark }: ApiInput, spec: NodeInputSpec | undefined, type: InputType): Range {
  const [defined, marked] = [limitsOf(spec ?? {}, type), limitsOf(mark, type)];
  const both = {
    min: stricter(defined.min, marked.min, (a, b) => a > b),
    max: stricter(defined.max, marked.max, (a, b) => a < b),
  };
  return both.min !== undefined && both.max !== undefined && both.min > both.max ? defined : both;
}

function limitsOf(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  type: InputType,
): Range {
  const toLimit = (limit: number | undefined) =>
    limit !== undefined && type === 'int' ? exactLimit(limit) : limit;
  return { min: toLimit(min), max: toLimit(max) };
}

function stricter(
  a: Limit | undefined,
  b: Limit | undefined,
  isStricter: (a: Limit, b: Limit) => boolean,
): Limit | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isStricter(a, b) ? a : b;
}

/**
 * Limits arrive as doubles, and 2^64-1, the limit of every seed, is 2^64 as a double. A power of two that large is always
 * such a rounded limit.
 */
function exactLimit(limit: number): Limit {
  if (!Number.isInteger(limit) || Number.isSafeInteger(limit)) return limit;
  const rounded = BigInt(limit);
  const powerOfTwo = rounded > 0n && (rounded & (rounded - 1n)) === 0n;
  return powerOfTwo ? rounded - 1n : rounded;
}

/** The nearest number that JSON readers without big integers can hold and that still lies within the limit. */
export function toDouble(limit: Limit): number {
  const value = Number(limit);
  if (typeof limit === 'number' || BigInt(value) <= limit) return value;
  return value * (1 - Number.EPSILON / 2);
}
