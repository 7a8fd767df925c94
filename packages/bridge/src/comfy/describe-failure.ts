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
    message: cleanReason(`${nameNode(error.nodeId, error.nodeType, prompt)}${told}`),
    node_id: error.nodeId,
    class_type: error.nodeType,
  };
}

/** Why a prompt was refused, naming each input by our key: `6/width: Value -5 smaller than min of 0`. */
export function toJobErrorFromRejection(rejection: PromptRejection, prompt?: ApiPrompt): JobError {
  const first = rejection.nodeErrors[0];
  const nodeId = first?.nodeId ?? rejection.nodeId ?? null;
  const classType = first?.classType ?? rejection.classType;
  return {
    code: 'invalid_workflow',
    message: cleanReason(describeNodeErrors(rejection.nodeErrors) || describeWhole(rejection)),
    node_id: nodeId,
    class_type: classType || classOf(nodeId, prompt),
  };
}

/** The input errors of a prompt's nodes on one line; '' for none. Also for those that a taken prompt carries. */
export function describeNodeErrors(nodes: readonly NodeValidation[]): string {
  const told = nodes.flatMap((node) => node.errors.map((error) => describeInputError(node.nodeId, error)));
  const rest = told.length > MAX_TOLD ? [`and ${told.length - MAX_TOLD} more`] : [];
  return [...told.slice(0, MAX_TOLD), ...rest].join('; ');
}

function describeInputError(nodeId: string, error: InputError): string {
  const where = error.inputName === null ? `node ${nodeId}` : toInputKey(nodeId, error.inputName);
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
  if (nodeId) return `node ${nodeId}: ${told}`;
  return details === '' || details === told ? told : `${told}: ${details}`;
}

function nameNode(nodeId: string | null, nodeType: string | null, prompt: ApiPrompt | undefined): string {
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
