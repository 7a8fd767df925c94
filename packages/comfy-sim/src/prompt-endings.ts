import { PythonError, str } from './python-values.ts';
import type { ApiPrompt, HistoryItem, NodeId, NodeMeta, QueueItem, StatusMessage, UiOutput } from './wire.ts';

/** The data of `execution_error`. */
export function errorData(
  promptId: string,
  prompt: ApiPrompt,
  node: NodeId,
  error: PythonError,
  { executed, traceback }: { executed: NodeId[]; traceback: string[] | undefined },
): Record<string, unknown> {
  const { class_type: nodeType = '', inputs = {} } = prompt[node] ?? {};
  // A real server prints each input as Python would; a linked one is a tensor or a model there.
  const inputTexts = Object.entries(inputs).map(([name, value]) => [name, [str(value)]] as const);
  return {
    prompt_id: promptId,
    node_id: node,
    node_type: nodeType,
    executed,
    exception_message: `${error.message}\n`,
    exception_type: error.type,
    traceback: traceback ?? [`  File "/srv/ComfyUI/execution.py", line 496, in execute\n    # ${nodeType}\n`],
    current_inputs: Object.fromEntries(inputTexts),
    current_outputs: Object.keys(prompt),
  };
}

export function historyEntry(
  prompt: QueueItem,
  completed: boolean,
  messages: StatusMessage[],
  shown: ReadonlyMap<NodeId, { output: UiOutput; meta: NodeMeta }>,
): HistoryItem {
  const nodes = [...shown];
  return {
    prompt,
    outputs: Object.fromEntries(nodes.map(([node, { output }]) => [node, output])),
    status: { status_str: completed ? 'success' : 'error', completed, messages },
    meta: Object.fromEntries(nodes.map(([node, { meta }]) => [node, meta])),
  };
}

export function toPythonError(error: unknown): PythonError {
  if (error instanceof PythonError) return error;
  return new PythonError('RuntimeError', error instanceof Error ? error.message : String(error));
}
