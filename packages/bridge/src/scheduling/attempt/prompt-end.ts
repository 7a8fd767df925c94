import type { PromptHistory } from '../../comfy/comfy-client.ts';
import type { ExecutionError } from '../../comfy/comfy-messages.ts';

/** How a prompt ended on its backend. */
export type PromptEnd =
  | { kind: 'success'; outputs: Record<string, unknown>; meta: Record<string, unknown> }
  | { kind: 'error'; error: ExecutionError }
  | { kind: 'interrupted' }
  /** `vanished`: the backend is there and knows nothing of the prompt. */
  | { kind: 'lost'; reason: string; vanished: boolean }
  /** It still waits in the backend's queue, and somebody else could run it now. */
  | { kind: 'taken-back'; reason: string }
  | { kind: 'silent'; afterMs: number }
  | { kind: 'aborted' };

/**
 * Outputs named in events complete the history's: a fully cached run may leave them out there.
 */
export function toPromptEnd(history: PromptHistory, seenOutputs: Record<string, unknown>): PromptEnd {
  switch (history.outcome) {
    case 'success':
      return { kind: 'success', outputs: { ...seenOutputs, ...history.outputs }, meta: history.meta };
    case 'interrupted':
      return { kind: 'interrupted' };
    case 'error':
      return {
        kind: 'error',
        error: history.error ?? {
          nodeId: null,
          nodeType: null,
          exceptionType: 'Error',
          message: 'the workflow failed without a reason',
        },
      };
  }
}
