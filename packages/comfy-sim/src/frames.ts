import { previewFrame, previewWithMetadataFrame } from './binary-frames.ts';
import type { SocketHub } from './socket-hub.ts';
import type { NodeId, NodeMeta, StatusMessage, UiOutput } from './wire.ts';

type NodeState = 'running' | 'finished' | 'error';

/** What a running prompt tells its client, frame by frame, in the order and the form of a real server. */
export class Frames {
  readonly #hub: SocketHub;
  readonly #promptId: string;
  readonly #clientId: string | undefined;
  readonly #progressState: boolean;
  readonly #nodes: Record<NodeId, Record<string, unknown>> = {};
  /** What the history entry lists under `status.messages`. */
  readonly messages: StatusMessage[] = [];

  constructor(hub: SocketHub, promptId: string, clientId: string | undefined, progressState: boolean) {
    this.#hub = hub;
    this.#promptId = promptId;
    this.#clientId = clientId;
    this.#progressState = progressState;
  }

  /** An `execution_*` message: kept for the history, and sent to the client that submitted the prompt. */
  message(event: string, data: Record<string, unknown>): void {
    const full = { ...data, timestamp: Date.now() };
    this.messages.push([event, full]);
    // Without a client id nobody is told, except of an interrupt, which everybody is told.
    if (this.#clientId !== undefined || event === 'execution_interrupted')
      this.#hub.send(event, full, this.#clientId);
  }

  start(node: NodeId): void {
    this.#state(node, 0, 1, 'running');
    if (this.#clientId !== undefined)
      this.#send('executing', { node, display_node: node, prompt_id: this.#promptId });
  }

  /** `preview` is an encoded picture. A negotiating client gets it before `progress`, others after. */
  progress(node: NodeId, value: number, max: number, preview?: Uint8Array): void {
    this.#state(node, value, max, 'running');
    const metadata = this.#hub.supportsPreviewMetadata(this.#clientId);
    if (preview && metadata) this.preview(node, preview);
    this.#send('progress', { value, max, prompt_id: this.#promptId, node });
    if (preview && !metadata) this.preview(node, preview);
  }

  preview(node: NodeId, image: Uint8Array): void {
    const format = image[0] === 0x89 ? 'png' : 'jpeg';
    if (!this.#hub.supportsPreviewMetadata(this.#clientId)) {
      this.#hub.sendRaw(previewFrame(image, format), this.#clientId);
      return;
    }
    const ids = {
      node_id: node,
      prompt_id: this.#promptId,
      display_node_id: node,
      parent_node_id: null,
      real_node_id: node,
    };
    this.#hub.sendRaw(
      previewWithMetadataFrame(image, { ...ids, image_type: `image/${format}` }),
      this.#clientId,
    );
  }

  /** A node that ran, or a cached output node that is told again. */
  executed(node: NodeId, output: UiOutput | null): void {
    if (this.#clientId === undefined) return;
    this.#send('executed', { node, display_node: node, output, prompt_id: this.#promptId });
  }

  finish(node: NodeId): void {
    const known = this.#nodes[node];
    this.#state(node, Number(known?.max ?? 1), Number(known?.max ?? 1), 'finished');
  }

  /** Sent after the history entry exists. */
  over(): void {
    if (this.#clientId !== undefined) this.#send('executing', { node: null, prompt_id: this.#promptId });
  }

  #state(node: NodeId, value: number, max: number, state: NodeState): void {
    const ids = {
      node_id: node,
      prompt_id: this.#promptId,
      display_node_id: node,
      parent_node_id: null,
      real_node_id: node,
    };
    this.#nodes[node] = { value, max, state, ...ids };
    if (this.#progressState) this.#send('progress_state', { prompt_id: this.#promptId, nodes: this.#nodes });
  }

  /** To the client of the prompt, or to everybody when it has none. */
  #send(type: string, data: Record<string, unknown>): void {
    this.#hub.send(type, data, this.#clientId);
  }
}

export function metaOf(node: NodeId): NodeMeta {
  return { node_id: node, display_node: node, parent_node: null, real_node_id: node };
}
