/**
 * The shapes that cross ComfyUI's wire, as a v0.3.64 server sends and takes them. Declared here on purpose and
 * shared with nobody: a misunderstanding of the protocol must not pass on both sides of a test.
 */

export type NodeId = string;

/** A graph in API format: node id → class and inputs. A link is `[nodeId, outputIndex]`. */
export type ApiPrompt = Record<NodeId, ApiNode>;

export interface ApiNode {
  class_type: string;
  inputs: Record<string, unknown>;
  _meta?: Record<string, unknown>;
}

export type ExtraData = Record<string, unknown>;

/** What `GET /queue` and the history list per prompt: number, id, graph, extra data, output nodes that will run. */
export type QueueItem = [number, string, ApiPrompt, ExtraData, NodeId[]];

/** What a node shows: `images`, `text`, `animated`, or whatever a custom node invents. */
export type UiOutput = Record<string, unknown>;

export interface FileRef {
  filename: string;
  subfolder: string;
  type: FileType;
}

export type FileType = 'input' | 'output' | 'temp';

export interface NodeMeta {
  node_id: string;
  display_node: string;
  parent_node: string | null;
  real_node_id: string;
}

export type StatusMessage = [event: string, data: Record<string, unknown>];

export interface HistoryItem {
  prompt: QueueItem;
  outputs: Record<NodeId, UiOutput>;
  status: { status_str: 'success' | 'error'; completed: boolean; messages: StatusMessage[] };
  meta: Record<NodeId, NodeMeta>;
}

/** One entry of `/object_info`. An input is `[type, options?]`; a V1 choice has the list of values as its type. */
export interface NodeDefinition {
  input: {
    required?: Record<string, InputSpec>;
    optional?: Record<string, InputSpec>;
    hidden?: Record<string, string>;
  };
  input_order: Record<string, string[]>;
  output: string[];
  output_is_list: boolean[];
  output_name: string[];
  name: string;
  display_name: string | null;
  description: string;
  python_module: string;
  category: string;
  output_node: boolean;
  [key: string]: unknown;
}

export type InputSpec =
  | [type: string | readonly string[]]
  | [type: string | readonly string[], options: Record<string, unknown>];

export interface ApiError {
  type: string;
  message: string;
  details: string;
  extra_info: Record<string, unknown>;
}

export interface NodeErrors {
  errors: ApiError[];
  dependent_outputs: NodeId[];
  class_type: string;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A link is a two-element list; the server tells it from a value by just that. */
export function isLink(value: unknown): value is [NodeId, number] {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}
