import type { WorkflowDetail } from '@comfy-bridge/protocol';

import { isSeedName, toExactLimit } from './seed.ts';

export type Media = 'image' | 'mask' | 'video' | 'audio';

interface FieldBase {
  /** What it is called in `inputs`. */
  readonly name: string;
  readonly label: string;
  readonly description: string | undefined;
  /** Pictures that explain it, as `data:` URLs. */
  readonly pictures: readonly string[];
  /** True: the author gave no value, and something must be sent. */
  readonly isRequired: boolean;
}

export interface TextField extends FieldBase {
  readonly kind: 'text';
  readonly default: string;
  readonly mustNotBeEmpty: boolean;
}

export interface NumberField extends FieldBase {
  readonly kind: 'number';
  readonly isInteger: boolean;
  /** As text: whole numbers may be 64 bits wide. */
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly step: number | undefined;
  /** What a whole number must be a multiple of. */
  readonly multipleOf: number | undefined;
  readonly default: string;
}

export interface SeedField extends FieldBase {
  readonly kind: 'seed';
  readonly min: string;
  readonly max: string;
  readonly default: string;
}

export interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly options: readonly Option[];
  readonly default: string;
}

/** `text` stands for it in the form; `value` is sent. */
export interface Option {
  readonly text: string;
  readonly value: string | number | boolean;
}

export interface SwitchField extends FieldBase {
  readonly kind: 'switch';
  readonly default: boolean;
}

export interface FileField extends FieldBase {
  readonly kind: 'file';
  readonly media: Media;
  /** The author's own file, used where none is chosen. */
  readonly sample: string | undefined;
}

export type Field = TextField | NumberField | SeedField | ChoiceField | SwitchField | FileField;

type Schema = Readonly<Record<string, unknown>>;
type Input = WorkflowDetail['inputs'][number];

/** The fields of a form, in the author's order. `pictures`: description images by the key of their input. */
export function toFields(
  { inputs, input_schema: schema }: Pick<WorkflowDetail, 'inputs' | 'input_schema'>,
  pictures: ReadonlyMap<string, readonly string[]> = new Map(),
): readonly Field[] {
  const properties = asSchema(schema['properties']);
  return inputs.map((input) =>
    toField(input, asSchema(properties[input.name]), pictures.get(input.key) ?? []),
  );
}

function toField(input: Input, property: Schema, pictures: readonly string[]): Field {
  const { name, label, title, description, media, required } = input;
  const base: FieldBase = {
    name,
    label: label ?? asText(property['title']) ?? `${title}: ${name}`,
    description: description ?? undefined,
    pictures,
    isRequired: required,
  };
  const value = isScalar(input.default) ? input.default : undefined;
  if (media !== null) {
    const sample = value === undefined || value === '' ? undefined : String(value);
    return { ...base, kind: 'file', media, sample };
  }
  const accepts = ownRules(property);
  if (Array.isArray(accepts['enum'])) return toChoice(base, accepts['enum'], value);
  switch (input.type) {
    case 'bool':
      return { ...base, kind: 'switch', default: value === true || value === 'true' };
    case 'int':
    case 'float':
      return toNumber(base, input, accepts, value === undefined ? '' : String(value));
    case 'str':
      return {
        ...base,
        kind: 'text',
        default: value === undefined ? '' : String(value),
        mustNotBeEmpty: Number(accepts['minLength'] ?? 0) > 0,
      };
  }
}

/** Where the author's value is beyond the limits, the limits stand beside it in `anyOf`. */
function ownRules(property: Schema): Schema {
  const { anyOf } = property;
  return Array.isArray(anyOf) ? { ...property, ...asSchema(anyOf[0]) } : property;
}

function toChoice(
  base: FieldBase,
  offered: readonly unknown[],
  value: string | number | boolean | undefined,
): ChoiceField {
  const options = new Map<string, Option>();
  for (const option of offered)
    if (isScalar(option)) options.set(String(option), { text: String(option), value: option });
  const [first] = options.keys();
  const isDefault = value !== undefined && options.has(String(value));
  return {
    ...base,
    kind: 'choice',
    options: [...options.values()],
    // A choice that the author left open is made by the person, not by the order of the options.
    default: isDefault ? String(value) : base.isRequired ? '' : (first ?? ''),
  };
}

function toNumber(base: FieldBase, input: Input, accepts: Schema, value: string): NumberField | SeedField {
  const isInteger = input.type === 'int';
  const min = toLimit(accepts['minimum'], isInteger);
  const max = toLimit(accepts['maximum'], isInteger);
  const multipleOf = typeof accepts['multipleOf'] === 'number' ? accepts['multipleOf'] : undefined;
  if (isInteger && multipleOf === undefined && min !== undefined && max !== undefined) {
    const isWide = BigInt(max) - BigInt(min) > BigInt(Number.MAX_SAFE_INTEGER);
    if (isWide || isSeedName(input.name) || isSeedName(input.key.slice(input.key.lastIndexOf('/') + 1)))
      return { ...base, kind: 'seed', min, max, default: value };
  }
  const step = typeof accepts['x-step'] === 'number' ? accepts['x-step'] : undefined;
  return {
    ...base,
    kind: 'number',
    isInteger,
    min,
    max,
    multipleOf,
    step: multipleOf ?? step ?? (isInteger ? 1 : undefined),
    default: value,
  };
}

function toLimit(limit: unknown, isInteger: boolean): string | undefined {
  if (typeof limit === 'string') return limit;
  if (typeof limit !== 'number') return undefined;
  return isInteger ? toExactLimit(limit) : String(limit);
}

/** More stops than this cannot be hit on a slider of a few hundred pixels. */
const maxStops = 500;

export interface Slider {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** A slider, where the range has so few stops that each can be reached. */
export function sliderOf({ min, max, step, isInteger }: NumberField): Slider | undefined {
  if (min === undefined || max === undefined) return undefined;
  const [low, high] = [Number(min), Number(max)];
  if (!(high > low)) return undefined;
  const usedStep = step ?? (isInteger ? 1 : (high - low) / 100);
  return (high - low) / usedStep <= maxStops ? { min: low, max: high, step: usedStep } : undefined;
}

function asSchema(value: unknown): Schema {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
