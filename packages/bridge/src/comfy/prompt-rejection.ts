import { isRecord } from '../lib/is-record.ts';
import { toId, toRecord, toText } from './read-fields.ts';

/** Why ComfyUI did not take a prompt. `type` is one of its own words, such as `prompt_outputs_failed_validation`. */
export interface PromptRejection {
  type: string;
  message: string;
  details: string;
  /** The node that the prompt-level error is about, where it says so. */
  nodeId?: string | null;
  classType?: string | null;
  nodeErrors: readonly NodeValidation[];
}

/** What is wrong with one node's inputs. */
export interface NodeValidation {
  nodeId: string;
  classType: string;
  /** Output nodes that do not run because of it. */
  dependentOutputs: string[];
  errors: InputError[];
}

export interface InputError {
  /** Such as `value_not_in_list`: the file or option is missing there, another backend may have it. */
  type: string;
  message: string;
  details: string;
  inputName: string | null;
}

/** Reads the 400 of `POST /prompt`. `extra_info` is dropped but for names: it holds tracebacks and whole option lists. */
export function parsePromptRejection(json: unknown): PromptRejection | undefined {
  if (!isRecord(json) || json['error'] === undefined) return undefined;
  const nodeErrors = parseNodeErrors(json['node_errors']);
  // Early versions put a bare sentence there.
  if (typeof json['error'] === 'string') {
    return { type: 'unknown', message: json['error'], details: '', nodeErrors };
  }
  const error = toRecord(json['error']);
  const extra = toRecord(error['extra_info']);
  const details = toText(error['details']);
  return {
    type: toId(error['type']) ?? '',
    message: toText(error['message']),
    details,
    nodeId: toId(extra['node_id']) ?? toId(/Node ID '#([^']+)'/.exec(details)?.[1]) ?? null,
    classType: toId(extra['class_type']) ?? null,
    nodeErrors,
  };
}

/** Reads `node_errors`; a 200 carries them too, when only some outputs can run. */
export function parseNodeErrors(json: unknown): NodeValidation[] {
  return Object.entries(toRecord(json)).map(([nodeId, value]) => {
    const node = toRecord(value);
    const outputs = node['dependent_outputs'];
    const errors = node['errors'];
    return {
      nodeId: toId(nodeId) ?? '',
      classType: toId(node['class_type']) ?? '',
      dependentOutputs: Array.isArray(outputs) ? outputs.map(toId).filter((id) => id !== undefined) : [],
      errors: Array.isArray(errors) ? errors.map(parseInputError) : [],
    };
  });
}

function parseInputError(value: unknown): InputError {
  const error = toRecord(value);
  return {
    type: toId(error['type']) ?? '',
    message: toText(error['message']),
    details: toText(error['details']),
    inputName: toId(toRecord(error['extra_info'])['input_name']) ?? null,
  };
}
