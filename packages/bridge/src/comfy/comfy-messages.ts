import type { DonorStatus } from './donor-status.ts';

/** What a ComfyUI's WebSocket says, as one closed union. Unknown types and frames come as `other`. */
export interface NodeProgress {
  nodeId: string;
  /** What the user sees: the node of the submitted prompt that an expanded node belongs to. */
  displayNodeId: string;
  /** The key in the submitted prompt that an expanded node came from; equals `nodeId` for an ordinary node. */
  realNodeId: string;
  state: 'running' | 'finished' | 'error' | 'pending';
  value: number;
  max: number;
}

export type ComfyMessage =
  | { type: 'status'; queueRemaining: number | undefined; sid: string | undefined }
  | { type: 'execution-start'; promptId: string }
  | { type: 'execution-cached'; promptId: string; nodes: string[] }
  /** `node` null: the prompt left the worker, history is written. `promptId` is absent in the hello of a re-used sid. */
  | { type: 'executing'; promptId: string | undefined; node: string | null; displayNode: string | null }
  | { type: 'progress'; promptId: string | undefined; node: string | null; value: number; max: number }
  | { type: 'progress-state'; promptId: string; nodes: NodeProgress[] }
  | {
      type: 'executed';
      promptId: string;
      node: string;
      displayNode: string;
      output: Record<string, unknown> | null;
    }
  | { type: 'execution-success'; promptId: string }
  | { type: 'execution-error'; promptId: string; error: ExecutionError; terminal: boolean }
  | { type: 'execution-interrupted'; promptId: string; node: string | null }
  | { type: 'feature-flags'; flags: Record<string, unknown> }
  | {
      type: 'preview';
      contentType: 'image/jpeg' | 'image/png';
      image: Buffer;
      promptId: string | undefined;
      node: string | undefined;
    }
  | { type: 'text'; node: string; text: string }
  /** The machine is lent: told to each new socket, and at each change. */
  | { type: 'donor-status'; status: DonorStatus }
  | { type: 'other'; name: string }
  | { type: 'malformed'; reason: string };

export interface ExecutionError {
  nodeId: string | null;
  nodeType: string | null;
  exceptionType: string;
  message: string;
}
