import type { ExecutionError } from './comfy-messages.ts';
import { toId, toRecord, toText } from './read-fields.ts';

/**
 * Reads the data of an `execution_error`, from a frame or from a history entry. Tracebacks and the node's inputs are
 * dropped here, so that nothing further up can leak them.
 */
export function parseExecutionError(data: unknown): ExecutionError {
  const fields = toRecord(data);
  return {
    nodeId: toId(fields['node_id']) ?? null,
    nodeType: toId(fields['node_type']) ?? null,
    exceptionType: toId(fields['exception_type']) ?? '',
    message: toText(fields['exception_message']),
  };
}

/** A node that blocks its branch on purpose reports this; the prompt goes on and it is not in the history. */
export function isTerminalError(error: ExecutionError): boolean {
  return error.exceptionType !== 'ExecutionBlocked';
}
