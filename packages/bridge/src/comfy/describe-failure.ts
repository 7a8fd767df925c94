import { type ApiPrompt, type JobError, toInputKey } from '@comfy-bridge/protocol';
import { cleanReason } from './clean-reason.ts';
import type { ExecutionError } from './comfy-messages.ts';
import type { InputError, NodeValidation, PromptRejection } from './prompt-rejection.ts';

/** CUDA, ROCm, Apple's and the CPU's allocators each have their own words. */
const OUT_OF_MEMORY =
  /OutOfMemoryError|out of memory|Allocation on device|not enough memory|can't allocate memory|\bMemoryError\b/i;

/** Say nothing beyond the message. */
const plainExceptions = new Set(['', 'Exception', 'RuntimeError', 'ValueError']);

/** So many input errors are told; a reader fixes the first ones first. */
const MAX_TOLD = 5;
const MAX_NAME = 200;

/** Why a prompt failed while it ran, fit for a client. With the prompt, the node is named by its title. */
export function toJobError(error: ExecutionError, prompt?: ApiPrompt): JobError {
  const outOfMemory = OUT_OF_MEMORY.test(error.exceptionType) || OUT_OF_MEMORY.test(error.message);
  const reason = cleanReason(error.message) || cleanReason(error.exceptionType) || 'no reason was given';
  const exception = error.exceptionType.split('.').at(-1) ?? '';
  const told =
    outOfMemory || plainExceptions.has(exception) || reason === exception
      ? reason
      : `${exception}: ${reason}`;
  return {
    code: outOfMemory ? 'out_of_memory' : 'node_execution_error',
    message: cleanReason(`${nameNode(error, prompt)}${told}`),
    ...toPlace(error.nodeId, error.nodeType, prompt),
  };
}

/** Why a prompt was refused, naming each input by our key: `6/width: Value -5 smaller than min of 0`. */
export function toJobErrorFromRejection(rejection: PromptRejection, prompt?: ApiPrompt): JobError {
  const first = rejection.nodeErrors[0];
  const nodeId = first?.nodeId ?? rejection.nodeId ?? null;
  const classType = first?.classType ?? rejection.classType;
  return {
    code: 'invalid_workflow',
    message:
      cleanReason(describeNodeErrors(rejection.nodeErrors) || describeWhole(rejection)) ||
      'the prompt was refused',
    ...toPlace(nodeId, classType || classOf(nodeId, prompt), prompt),
  };
}

/** What the caller wrote itself goes back as it is; any other name is text of a machine. */
function toPlace(
  nodeId: string | null,
  classType: string | null,
  prompt: ApiPrompt | undefined,
): Pick<JobError, 'node_id' | 'class_type'> {
  const own = classOf(nodeId, prompt);
  return {
    node_id: own === null ? toName(nodeId) : nodeId,
    class_type: classType === own ? own : toName(classType),
  };
}

/** Ids of nodes made at run time (`5.0.0.1`, `12:3`) look like addresses, and are none. */
const madeId = /^\d+(?:(?:\.\d+)+|(?::\d+)+)?$/;

function toName(name: string | null): string | null {
  if (name === null || (name.length <= MAX_NAME && madeId.test(name))) return name;
  return cleanReason(name).slice(0, MAX_NAME) || null;
}

/** The input errors of a prompt's nodes on one line; '' for none. Also for those that a taken prompt carries. */
export function describeNodeErrors(nodes: readonly NodeValidation[]): string {
  const told = nodes.flatMap((node) => node.errors.map((error) => describeInputError(node.nodeId, error)));
  const rest = told.length > MAX_TOLD ? [`and ${told.length - MAX_TOLD} more`] : [];
  return [...told.slice(0, MAX_TOLD), ...rest].join('; ');
}

function describeInputError(nodeId: string, error: InputError): string {
  const [node, input] = [toName(nodeId) ?? '', toName(error.inputName)];
  const where = input === null ? `node ${node}` : toInputKey(node, input);
  return `${where}: ${cleanReason(describeInput(error))}`;
}

/** The details repeat the input's name, and after "not in" list everything that the backend has. */
function describeInput({ type, message, details, inputName }: InputError): string {
  const detail =
    inputName === null ? details : details.replace(`${inputName}: `, '').replace(`${inputName} - `, '');
  if (type === 'value_not_in_list') return `${message}: ${detail.split(' not in ')[0] ?? ''}`;
  if (type === 'custom_validation_failed' && detail !== '') return detail;
  return message || detail || type;
}

function describeWhole({ type, message, details, nodeId }: PromptRejection): string {
  const told = message || type || 'the prompt was refused';
  if (nodeId) return `node ${toName(nodeId) ?? ''}: ${told}`;
  return details === '' || details === told ? told : `${told}: ${details}`;
}

function nameNode(error: ExecutionError, prompt: ApiPrompt | undefined): string {
  const [nodeId, nodeType] = [toName(error.nodeId), toName(error.nodeType)];
  const title =
    nodeId !== null && prompt !== undefined && Object.hasOwn(prompt, nodeId) && prompt[nodeId]?._meta?.title;
  const name = title || nodeType;
  if (!name) return nodeId === null ? '' : `node ${nodeId}: `;
  return nodeId === null ? `${name}: ` : `${name} (node ${nodeId}): `;
}

function classOf(nodeId: string | null, prompt: ApiPrompt | undefined): string | null {
  if (nodeId === null || prompt === undefined || !Object.hasOwn(prompt, nodeId)) return null;
  return prompt[nodeId]?.class_type ?? null;
}
