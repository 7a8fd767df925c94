import { inputSpecs, type ObjectInfo } from './object-info.ts';
import { floatText, PythonError, repr, str, toBool, toFloat, toInt } from './python-values.ts';
import type { ApiError, ApiNode, ApiPrompt, InputSpec, NodeErrors, NodeId } from './wire.ts';
import { isRecord } from './wire.ts';

export type Validation =
  | { ok: true; outputs: NodeId[]; nodeErrors: Record<NodeId, NodeErrors> }
  | { ok: false; error: ApiError; nodeErrors: Record<NodeId, NodeErrors> };

interface Checking {
  prompt: ApiPrompt;
  info: ObjectInfo;
  /** True when the input file named by a LoadImage exists. */
  fileExists: (annotatedName: string) => boolean;
  done: Map<NodeId, { valid: boolean; errors: ApiError[] }>;
}

/**
 * Decides what of a prompt can run. Values are converted in place, as the server does. An output node whose
 * upstream is broken is dropped and reported; the prompt is refused only when none is left.
 */
export function validatePrompt(
  prompt: ApiPrompt,
  targets: readonly NodeId[] | undefined,
  info: ObjectInfo,
  fileExists: (annotatedName: string) => boolean,
): Validation {
  const outputs: NodeId[] = [];
  for (const [id, node] of Object.entries(prompt)) {
    const refusal = refuseNode(id, node, info);
    if (refusal) return { ok: false, error: refusal, nodeErrors: {} };
    if (info[node.class_type]?.output_node && (targets === undefined || targets.includes(id)))
      outputs.push(id);
  }
  if (outputs.length === 0) {
    return { ok: false, error: apiError('prompt_no_outputs', 'Prompt has no outputs', ''), nodeErrors: {} };
  }
  const checking: Checking = { prompt, info, fileExists, done: new Map() };
  const nodeErrors: Record<NodeId, NodeErrors> = {};
  const good: NodeId[] = [];
  const reasons: ApiError[] = [];
  for (const output of outputs) {
    const result = checkOutput(checking, output);
    if (result.valid) {
      good.push(output);
      continue;
    }
    reasons.push(...result.errors);
    blame(checking, output, nodeErrors);
  }
  if (good.length > 0) return { ok: true, outputs: good, nodeErrors };
  const details = reasons.map((reason) => `${reason.message}: ${reason.details}`).join('\n');
  const error = apiError('prompt_outputs_failed_validation', 'Prompt outputs failed validation', details);
  return { ok: false, error, nodeErrors };
}

export function apiError(
  type: string,
  message: string,
  details: string,
  extra_info: Record<string, unknown> = {},
): ApiError {
  return { type, message, details, extra_info };
}

function refuseNode(id: NodeId, node: unknown, info: ObjectInfo): ApiError | undefined {
  if (!isRecord(node))
    throw new PythonError('TypeError', `argument of type '${typeof node}' is not iterable`);
  const details = `Node ID '#${id}'`;
  if (!('class_type' in node)) {
    const message = 'Cannot execute because a node is missing the class_type property.';
    return apiError('invalid_prompt', message, details);
  }
  if (typeof node.class_type === 'string' && Object.hasOwn(info, node.class_type)) return undefined;
  return apiError(
    'invalid_prompt',
    `Cannot execute because node ${str(node.class_type)} does not exist.`,
    details,
  );
}

function checkOutput(checking: Checking, output: NodeId): { valid: boolean; errors: ApiError[] } {
  try {
    return checkNode(checking, output);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    const extra = { exception_type: error.type, traceback: [] };
    const errors = [
      apiError('exception_during_validation', 'Exception when validating node', error.message, extra),
    ];
    const result = { valid: false, errors };
    checking.done.set(output, result);
    return result;
  }
}

/** Only nodes with errors of their own are listed; what merely depends on them is named in `dependent_outputs`. */
function blame(checking: Checking, output: NodeId, nodeErrors: Record<NodeId, NodeErrors>): void {
  for (const [id, { valid, errors }] of checking.done) {
    if (valid || errors.length === 0) continue;
    const class_type = checking.prompt[id]?.class_type ?? '';
    nodeErrors[id] ??= { errors, dependent_outputs: [], class_type };
    nodeErrors[id].dependent_outputs.push(output);
  }
}

function checkNode(checking: Checking, id: NodeId): { valid: boolean; errors: ApiError[] } {
  const known = checking.done.get(id);
  if (known) return known;
  const node = lookUp(checking, id);
  if (!isRecord(node.inputs)) throw new PythonError('KeyError', "'inputs'");
  const definition = checking.info[node.class_type];
  const errors: ApiError[] = [];
  let valid = true;
  for (const { name, spec, required } of definition ? inputSpecs(definition) : []) {
    if (!(name in node.inputs)) {
      if (required) {
        errors.push(
          apiError('required_input_missing', 'Required input is missing', name, { input_name: name }),
        );
      }
      continue;
    }
    const given = node.inputs[name];
    const found = Array.isArray(given)
      ? checkLink(checking, name, spec, given)
      : checkValue(node, name, spec, checking);
    if (found === false) valid = false;
    else if (found) errors.push(found);
  }
  const result = { valid: valid && errors.length === 0, errors };
  checking.done.set(id, result);
  return result;
}

function lookUp(checking: Checking, id: unknown): ApiNode {
  const node = typeof id === 'string' ? checking.prompt[id] : undefined;
  if (!node) throw new PythonError('KeyError', repr(id));
  return node;
}

/** Returns an error of this node, `false` when something upstream is broken, nothing when all is well. */
function checkLink(
  checking: Checking,
  name: string,
  spec: InputSpec,
  link: unknown[],
): ApiError | false | undefined {
  const [type] = spec;
  const config = inputConfig(spec);
  if (link.length !== 2) {
    const message = 'Bad linked input, must be a length-2 list of [node_id, slot_index]';
    const extra = { input_name: name, input_config: config, received_value: link };
    return apiError('bad_linked_input', message, name, extra);
  }
  const origin = lookUp(checking, link[0]);
  const received = checking.info[origin.class_type]?.output[Number(link[1])];
  if (received === undefined) throw new PythonError('IndexError', 'tuple index out of range');
  if (!typesMatch(received, type)) {
    const details = `${name}, received_type(${received}) mismatch input_type(${typeText(type)})`;
    const extra = { input_name: name, input_config: config, received_type: received, linked_node: link };
    return apiError('return_type_mismatch', 'Return type mismatch between linked nodes', details, extra);
  }
  const originId = String(link[0]);
  try {
    return checkNode(checking, originId).valid ? undefined : false;
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    const message = 'Exception when validating inner node';
    const extra = {
      input_name: name,
      input_config: config,
      exception_message: error.message,
      exception_type: error.type,
      traceback: [],
      linked_node: link,
    };
    const errors = [apiError('exception_during_inner_validation', message, error.message, extra)];
    checking.done.set(originId, { valid: false, errors });
    return false;
  }
}

function checkValue(node: ApiNode, name: string, spec: InputSpec, checking: Checking): ApiError | undefined {
  const [type, options = {}] = spec;
  let value = node.inputs[name];
  if (isRecord(value) && '__value__' in value) value = value.__value__;
  const extra = { input_name: name, input_config: inputConfig(spec), received_value: value };
  try {
    value = convert(type, value);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    const message = `Failed to convert an input value to a ${typeText(type)} value`;
    const details = `${name}, ${str(value)}, ${error.message}`;
    return apiError('invalid_input_type', message, details, { ...extra, exception_message: error.message });
  }
  node.inputs[name] = value;
  const received = { ...extra, received_value: value };
  // LoadImage and LoadImageMask check the file themselves, so a new upload needs no refreshed list of choices.
  if (options.image_upload === true && Array.isArray(type)) {
    if (typeof value === 'string' && checking.fileExists(value)) return undefined;
    const details = `${name} - Invalid image file: ${str(value)}`;
    return apiError('custom_validation_failed', 'Custom validation failed for node', details, {
      input_name: name,
    });
  }
  return checkRange(name, type, options, value, received) ?? checkChoice(name, type, value, received);
}

function convert(type: InputSpec[0], value: unknown): unknown {
  if (type === 'INT') return toInt(value);
  if (type === 'FLOAT') return toFloat(value);
  if (type === 'STRING') return str(value);
  if (type === 'BOOLEAN') return toBool(value);
  return value;
}

function checkRange(
  name: string,
  type: InputSpec[0],
  { min, max }: Record<string, unknown>,
  value: unknown,
  extra: Record<string, unknown>,
): ApiError | undefined {
  if (typeof value !== 'number') return undefined;
  const text = (number: number): string => (type === 'FLOAT' ? floatText(number) : String(number));
  if (typeof min === 'number' && value < min) {
    const message = `Value ${text(value)} smaller than min of ${text(min)}`;
    return apiError('value_smaller_than_min', message, name, extra);
  }
  if (typeof max === 'number' && value > max) {
    return apiError(
      'value_bigger_than_max',
      `Value ${text(value)} bigger than max of ${text(max)}`,
      name,
      extra,
    );
  }
  return undefined;
}

/** Only choices in the older style are checked; a `COMBO` with a wrong value fails when its node runs. */
function checkChoice(
  name: string,
  type: InputSpec[0],
  value: unknown,
  extra: Record<string, unknown>,
): ApiError | undefined {
  if (typeof type === 'string' || type.some((option) => option === value)) return undefined;
  // A long list (of model files, say) is not repeated in the answer.
  const long = type.length > 20;
  const list = long ? `(list of length ${type.length})` : repr(type);
  const details = `${name}: '${str(value)}' not in ${list}`;
  const info = long ? { ...extra, input_config: null } : extra;
  return apiError('value_not_in_list', 'Value not in list', details, info);
}

function inputConfig([type, options = {}]: InputSpec): [InputSpec[0], Record<string, unknown>] {
  return [type, options];
}

function typesMatch(received: string, wanted: InputSpec[0]): boolean {
  if (typeof wanted !== 'string') return false;
  if (received === wanted || received === '*' || wanted === '*') return true;
  const types = wanted.split(',').map((part) => part.trim());
  return received.split(',').some((part) => types.includes(part.trim()));
}

function typeText(type: InputSpec[0]): string {
  return typeof type === 'string' ? type : repr(type);
}
