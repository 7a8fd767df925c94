import type { ComfyMessage, NodeProgress } from './comfy-messages.ts';
import { parseDonorStatus } from './donor-status.ts';
import { isTerminalError, parseExecutionError } from './execution-error.ts';
import { parseBinaryFrame } from './parse-binary-frame.ts';
import { parsePythonJson } from './python-json.ts';
import { isRecord } from '../lib/is-record.ts';
import { toId, toNumber, toPlain, toRecord } from './read-fields.ts';

/**
 * Longer text frames are not parsed: that would hold up everybody else. What a prompt produced is read from its history
 * anyway, so nothing is lost but a live view.
 */
const MAX_TEXT_LENGTH = 4 * 1024 * 1024;

/** Reads one frame of ComfyUI's WebSocket: text frames as strings, binary frames as buffers. Never throws. */
export function parseComfyMessage(frame: string | Buffer): ComfyMessage {
  return typeof frame === 'string' ? parseTextFrame(frame) : parseBinaryFrame(frame);
}

function parseTextFrame(text: string): ComfyMessage {
  if (text.length > MAX_TEXT_LENGTH) return malformed(`a text frame of ${text.length} characters`);
  let json: unknown;
  try {
    json = parsePythonJson(text);
  } catch {
    return malformed('not JSON'); // The parser's message would quote the frame.
  }
  if (!isRecord(json) || typeof json['type'] !== 'string') return malformed('no type');
  return parseEvent(json['type'], toRecord(json['data']));
}

function parseEvent(type: string, data: Record<string, unknown>): ComfyMessage {
  if (type === 'status') return parseStatus(data);
  if (type === 'feature_flags') return { type: 'feature-flags', flags: data };
  if (type === 'comfy_bridge_status') return parseDonorEvent(data);

  const promptId = toId(data['prompt_id']);
  if (type === 'executing') {
    const node = toId(data['node']) ?? null;
    return { type: 'executing', promptId, node, displayNode: toId(data['display_node']) ?? node };
  }
  if (type === 'progress') return parseProgress(promptId, data);
  return parsePromptEvent(type, promptId, data);
}

function parsePromptEvent(
  type: string,
  promptId: string | undefined,
  data: Record<string, unknown>,
): ComfyMessage {
  switch (type) {
    case 'progress_state':
      return promptId === undefined ? noPrompt(type) : parseProgressState(promptId, data);
    case 'execution_start':
      return promptId === undefined ? noPrompt(type) : { type: 'execution-start', promptId };
    case 'execution_cached':
      return promptId === undefined
        ? noPrompt(type)
        : { type: 'execution-cached', promptId, nodes: toIds(data['nodes']) };
    case 'executed':
      return promptId === undefined ? noPrompt(type) : parseExecuted(promptId, data);
    case 'execution_success':
      return promptId === undefined ? noPrompt(type) : { type: 'execution-success', promptId };
    case 'execution_error': {
      if (promptId === undefined) return noPrompt(type);
      const error = parseExecutionError(data);
      return { type: 'execution-error', promptId, error, terminal: isTerminalError(error) };
    }
    case 'execution_interrupted':
      return promptId === undefined
        ? noPrompt(type)
        : { type: 'execution-interrupted', promptId, node: toId(data['node_id']) ?? null };
    default:
      return { type: 'other', name: toPlain(type.slice(0, 100)) };
  }
}

function parseStatus(data: Record<string, unknown>): ComfyMessage {
  const info = toRecord(toRecord(data['status'])['exec_info']);
  return { type: 'status', queueRemaining: toNumber(info['queue_remaining']), sid: toId(data['sid']) };
}

function parseDonorEvent(data: Record<string, unknown>): ComfyMessage {
  const status = parseDonorStatus(data);
  return status === undefined
    ? malformed('a donor status without a state')
    : { type: 'donor-status', status };
}

function parseProgress(promptId: string | undefined, data: Record<string, unknown>): ComfyMessage {
  const value = toNumber(data['value']);
  const max = toNumber(data['max']);
  if (value === undefined || max === undefined) return malformed('progress without value and max');
  return { type: 'progress', promptId, node: toId(data['node']) ?? null, value, max };
}

function parseProgressState(promptId: string, data: Record<string, unknown>): ComfyMessage {
  const nodes: NodeProgress[] = [];
  for (const [key, entry] of Object.entries(toRecord(data['nodes']))) {
    if (!isRecord(entry)) continue;
    const nodeId = toId(entry['node_id']) ?? toId(key) ?? '';
    const state = toNodeState(entry['state']);
    if (state === undefined) continue;
    const realNodeId = toId(entry['real_node_id']) ?? nodeId;
    nodes.push({
      nodeId,
      displayNodeId: toId(entry['display_node_id']) ?? realNodeId,
      realNodeId,
      state,
      value: toNumber(entry['value']) ?? 0,
      max: toNumber(entry['max']) ?? 1,
    });
  }
  return { type: 'progress-state', promptId, nodes };
}

function parseExecuted(promptId: string, data: Record<string, unknown>): ComfyMessage {
  const node = toId(data['node']);
  if (node === undefined) return malformed('executed without a node');
  const output = isRecord(data['output']) ? data['output'] : null;
  return { type: 'executed', promptId, node, displayNode: toId(data['display_node']) ?? node, output };
}

function toNodeState(value: unknown): NodeProgress['state'] | undefined {
  return value === 'running' || value === 'finished' || value === 'error' || value === 'pending'
    ? value
    : undefined;
}

function toIds(value: unknown): string[] {
  return Array.isArray(value) ? value.map(toId).filter((id) => id !== undefined) : [];
}

function noPrompt(type: string): ComfyMessage {
  return malformed(`${type} without a prompt_id`);
}

function malformed(reason: string): ComfyMessage {
  return { type: 'malformed', reason };
}
