import { isRecord } from '../lib/is-record.ts';
import { toNumber, toRecord, toText, toTexts } from './read-fields.ts';

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
  /** How the editor shows it and stores its value; absent where there is nothing special. */
  editor?: EditorHints;
}

/** What the editor reads of an input's options beyond those above: it decides how a saved workflow lists its values. */
export interface EditorHints {
  /** A socket, whatever its type. */
  forceInput?: true;
  /** Followed by a widget of the editor's own; false where the name (`seed`) would mean that and the node does not want it. */
  control?: boolean;
  /** `{a|b}` in its text is a choice that the editor makes. */
  dynamicPrompts?: true;
  /** Its choices are asked from a route. */
  remote?: true;
  /** It holds a list of choices. */
  multiSelect?: true;
  /** Shown as if it were of this type. */
  widgetType?: string;
  /** What a value is rounded to when another node sets it; false: never. */
  round?: number | false;
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
      inputs: parseInputs(value['input'], toRecord(value['input_order'])),
      outputNode: value['output_node'] === true,
      // A V1 combo as an output type is its list of options.
      outputs: Array.isArray(value['output']) ? value['output'].map(toTypeName) : [],
    });
  }
  return definitions;
}

function parseInputs(
  input: Record<string, unknown>,
  order: Record<string, unknown>,
): Map<string, NodeInputSpec> {
  const inputs = new Map<string, NodeInputSpec>();
  for (const group of ['required', 'optional']) {
    for (const [name, spec] of inOrder(toRecord(input[group]), order[group])) {
      if (!Array.isArray(spec) || spec.length === 0) continue;
      const [type, config]: unknown[] = spec;
      if (typeof type !== 'string' && !Array.isArray(type)) continue;
      inputs.set(name, parseInput(type, toRecord(config), group === 'required'));
    }
  }
  return inputs;
}

/** JSON objects list names that are whole numbers first, so a node that has such names says its order again. */
function inOrder(group: Record<string, unknown>, order: unknown): [string, unknown][] {
  const names = Object.keys(group);
  if (!names.some((name) => /^\d+$/.test(name))) return Object.entries(group);
  const told = toTexts(order).filter((name) => Object.hasOwn(group, name));
  return [...new Set([...told, ...names])].map((name) => [name, group[name]]);
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
  const editor = parseEditorHints(config);
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
    ...(editor === undefined ? {} : { editor }),
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

function parseEditorHints(config: Record<string, unknown>): EditorHints | undefined {
  const { control_after_generate: control, widgetType, round } = config;
  const hints: EditorHints = {
    ...(config['forceInput'] === true ? { forceInput: true } : {}),
    ...(control === undefined || control === null ? {} : { control: control !== false && control !== '' }),
    ...(config['dynamicPrompts'] === true ? { dynamicPrompts: true } : {}),
    ...(isRecord(config['remote']) ? { remote: true } : {}),
    ...(config['multi_select'] ? { multiSelect: true } : {}),
    ...(typeof widgetType === 'string' ? { widgetType } : {}),
    ...(round === false || typeof round === 'number' ? { round } : {}),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}
