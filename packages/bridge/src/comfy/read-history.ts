import type { ExecutionError } from './comfy-messages.ts';
import { isTerminalError, parseExecutionError } from './execution-error.ts';
import { isRecord } from '../lib/is-record.ts';
import { toRecord } from './read-fields.ts';

/** How a prompt ended, by ComfyUI's own record. */
export interface PromptHistory {
  promptId: string;
  outcome: 'success' | 'error' | 'interrupted';
  /** With outcome `error`, where the record says more. */
  error?: ExecutionError;
  /** Node id to what the node showed; for `readOutputs`. */
  outputs: Record<string, unknown>;
  /** Node id to where an expanded node came from; for `readOutputs`. */
  meta: Record<string, unknown>;
}

/** Reads `GET /history/{id}`. Undefined while the prompt is unknown or unfinished: the answer is `{}` then. */
export function readHistory(json: unknown, promptId: string): PromptHistory | undefined {
  if (!isRecord(json) || !Object.hasOwn(json, promptId)) return undefined;
  const entry = json[promptId];
  if (!isRecord(entry)) return undefined;
  return {
    promptId,
    ...readOutcome(toRecord(entry['status'])),
    outputs: toRecord(entry['outputs']),
    meta: toRecord(entry['meta']),
  };
}

/**
 * `status_str` alone misleads: 'error' also stands for interrupted prompts, and a prompt that failed while it was being
 * scheduled (a cycle found at run time) is recorded as 'success'. The messages tell.
 */
function readOutcome(status: Record<string, unknown>): Pick<PromptHistory, 'outcome' | 'error'> {
  let interrupted = false;
  const messages: unknown[] = Array.isArray(status['messages']) ? status['messages'] : [];
  for (const message of messages) {
    if (!Array.isArray(message)) continue;
    const [name, data]: unknown[] = message;
    if (name === 'execution_interrupted') interrupted = true;
    if (name !== 'execution_error') continue;
    const error = parseExecutionError(data);
    if (isTerminalError(error)) return { outcome: 'error', error };
  }
  if (interrupted) return { outcome: 'interrupted' };
  return { outcome: status['status_str'] === 'error' ? 'error' : 'success' };
}
