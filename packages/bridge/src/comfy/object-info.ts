import { isRecord } from '../lib/is-record.ts';
import { toNumber, toRecord, toText } from './read-fields.ts';

/**
 * What a backend says of its node classes (`GET /object_info`), brought into one form. Combos come as `[[…], opts]` from
 * V1 nodes and as `['COMBO', { options }]` from V3 nodes; sizes are not trusted, unknown fields are dropped.
 */
export interface NodeInputSpec {
  /** 'INT' | 'FLOAT' | 'STRING' | 'BOOLEAN' | 'COMBO' or a link type such as 'IMAGE'. */
  type: string;
  required: boolean;
  default?: unknown;
  options?: readonly (string | number | boolean)[];
  min?: number;
  max?: number;
  step?: number;
  multiline?: boolean;
  tooltip?: string;
  /** The input takes the name of a file in the backend's input folder. */
  upload?: 'image' | 'video' | 'audio';
}

export interface NodeDefinition {
  classType: string;
  displayName: string;
  inputs: ReadonlyMap<string, NodeInputSpec>;
  outputNode: boolean;
  outputs: readonly string[];
}

export type NodeDefinitions = ReadonlyMap<string, NodeDefinition>;

type NodeInputOption = NonNullable<NodeInputSpec['options']>[number];

/** Reads `GET /object_info`. A class that is not described in a way we know is left out, the others stay. */
export function parseObjectInfo(json: unknown): NodeDefinitions {
  const definitions = new Map<string, NodeDefinition>();
  for (const [classType, value] of Object.entries(toRecord(json))) {
    if (!isRecord(value) || !isRecord(value['input'])) continue;
    definitions.set(classType, {
      classType,
      displayName: toText(value['display_name']) || classType,
      inputs: parseInputs(value['input']),
      outputNode: value['output_node'] === true,
      // A V1 combo as an output type is its list of options.
      outputs: Array.isArray(value['output']) ? value['output'].map(toTypeName) : [],
    });
  }
  return definitions;
}

function parseInputs(input: Record<string, unknown>): Map<string, NodeInputSpec> {
  const inputs = new Map<string, NodeInputSpec>();
  for (const group of ['required', 'optional']) {
    for (const [name, spec] of Object.entries(toRecord(input[group]))) {
      if (!Array.isArray(spec) || spec.length === 0) continue;
      const [type, config]: unknown[] = spec;
      if (typeof type !== 'string' && !Array.isArray(type)) continue;
      inputs.set(name, parseInput(type, toRecord(config), group === 'required'));
    }
  }
  return inputs;
}

function parseInput(
  type: string | unknown[],
  config: Record<string, unknown>,
  required: boolean,
): NodeInputSpec {
  const options = parseOptions(type, config);
  const numbers = {
    min: toNumber(config['min']),
    max: toNumber(config['max']),
    step: toNumber(config['step']),
  };
  const upload = parseUpload(config);
  const tooltip = toText(config['tooltip']);
  return {
    type: toTypeName(type),
    required,
    ...(config['default'] === undefined ? {} : { default: config['default'] }),
    ...(options === undefined ? {} : { options }),
    ...(numbers.min === undefined ? {} : { min: numbers.min }),
    ...(numbers.max === undefined ? {} : { max: numbers.max }),
    ...(numbers.step === undefined ? {} : { step: numbers.step }),
    ...(config['multiline'] === true ? { multiline: true } : {}),
    ...(tooltip === '' ? {} : { tooltip }),
    ...(upload === undefined ? {} : { upload }),
  };
}

function toTypeName(type: unknown): string {
  return Array.isArray(type) ? 'COMBO' : toText(type);
}

/** Undefined where the choices are not listed: a `remote` combo asks a route for them when it is shown. */
function parseOptions(
  type: string | unknown[],
  config: Record<string, unknown>,
): NodeInputOption[] | undefined {
  const listed = Array.isArray(type) ? type : type === 'COMBO' ? config['options'] : undefined;
  return Array.isArray(listed) ? listed.filter(isOption) : undefined;
}

function isOption(value: unknown): value is NodeInputOption {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Only into the input folder: `image_folder` may name another one, whose files a client cannot bring. */
function parseUpload(config: Record<string, unknown>): NodeInputSpec['upload'] {
  const folder = config['image_folder'];
  if (folder !== undefined && folder !== 'input') return undefined;
  if (config['image_upload'] === true || config['animated_image_upload'] === true) return 'image';
  if (config['video_upload'] === true) return 'video';
  return config['audio_upload'] === true ? 'audio' : undefined;
}
