import { textFrame } from './binary-frames.ts';
import { Interrupted } from './compute-node.ts';
import { Frames, metaOf } from './frames.ts';
import { samplePreview, saveGiven } from './given-images.ts';
import type { GivenImages } from './given-images.ts';
import { Pace } from './pace.ts';
import { errorData, historyEntry, toPythonError } from './prompt-endings.ts';
import { PythonError, str } from './python-values.ts';
import { runGraph } from './run-graph.ts';
import type { RunHost } from './run-host.ts';
import { busyNode } from './stepping-node.ts';
import type { FailOptions, FinishOptions, Outcome } from './step-options.ts';
import type { ApiPrompt, ExtraData, NodeId, NodeMeta, QueueItem, UiOutput } from './wire.ts';

/**
 * One prompt that a simulated server executes. A test drives it step by step; `runRest` lets it run by itself.
 * Every step sends exactly the frames that a real server sends. Steps on a run that was interrupted or lost do
 * nothing; steps on one that the test itself ended throw.
 */
export class PromptRun {
  readonly promptId: string;
  readonly clientId: string | undefined;
  readonly prompt: ApiPrompt;
  readonly extraData: ExtraData;
  /** Resolves when someone asks this prompt to stop, whether or not it does. */
  readonly interrupted: Promise<void>;
  readonly done: Promise<Outcome>;

  readonly #host: RunHost;
  readonly #item: QueueItem;
  readonly #frames: Frames;
  readonly #pace = new Pace();
  readonly #announceInterrupt: () => void;
  readonly #announceDone: (outcome: Outcome) => void;
  readonly #shown = new Map<NodeId, { output: UiOutput; meta: NodeMeta }>();
  readonly #ran = new Set<NodeId>();
  #cached: NodeId[] | undefined;
  #current: NodeId | undefined;
  #begun = false;
  #outcome: Outcome | undefined;
  #wantsInterrupt = false;
  #hung = false;
  #running = false;

  constructor(host: RunHost, item: QueueItem) {
    this.#host = host;
    this.#item = item;
    [, this.promptId, this.prompt, this.extraData] = item;
    const clientId = this.extraData.client_id;
    this.clientId = clientId === undefined || clientId === null ? undefined : str(clientId);
    this.#frames = new Frames(host.hub, this.promptId, this.clientId, host.options.features.previewMetadata);
    const interrupted = Promise.withResolvers<void>();
    const done = Promise.withResolvers<Outcome>();
    this.interrupted = interrupted.promise;
    this.done = done.promise;
    this.#announceInterrupt = interrupted.resolve;
    this.#announceDone = done.resolve;
  }

  get isInterrupted(): boolean {
    return this.#wantsInterrupt;
  }

  /** The node that runs now. */
  get currentNode(): NodeId | undefined {
    return this.#current;
  }

  /** Says which nodes `execution_cached` lists; only before any other step. */
  cached(nodeIds: NodeId[]): void {
    if (!this.#mayStep()) return;
    if (this.#begun) throw new Error('cached() must be the first step of a prompt');
    this.#cached = nodeIds;
    this.#begin();
  }

  /** A node starts; the one before it is finished. */
  start(nodeId: NodeId): void {
    if (this.#mayStep()) this.#start(nodeId);
  }

  /** Progress of a node: the one that runs, or the first that reports steps. A preview goes with it if given. */
  progress(value: number, max: number, nodeId?: NodeId, preview?: Uint8Array): void {
    if (!this.#mayStep()) return;
    this.#begin();
    const node = nodeId ?? this.#current ?? this.#busyNode();
    if (node !== this.#current) this.#start(node);
    this.#frames.progress(node, value, max, preview);
  }

  /** A preview picture (JPEG or PNG bytes), framed as the client negotiated. */
  preview(bytes?: Uint8Array, options: { nodeId?: NodeId } = {}): void {
    if (!this.#mayStep()) return;
    this.#begin();
    const node = options.nodeId ?? this.#current ?? this.#busyNode();
    if (node !== this.#current) this.#start(node);
    this.#frames.preview(node, bytes ?? samplePreview());
  }

  /** A text frame, which goes to every client. */
  text(nodeId: NodeId, text: string): void {
    if (!this.#mayStep()) return;
    this.#begin();
    this.#host.hub.sendRaw(textFrame(nodeId, text));
  }

  /** A node shows something and is finished. */
  executed(nodeId: NodeId, output: UiOutput): void {
    if (!this.#mayStep()) return;
    if (this.#current !== nodeId) this.#start(nodeId);
    this.#show(nodeId, output);
    this.#finishCurrent();
  }

  /** A node saves pictures, shows them and is finished; the rest goes on. */
  save(nodeId: NodeId, images: GivenImages): void {
    const prefix = str(this.prompt[nodeId]?.inputs.filename_prefix ?? 'ComfyUI');
    if (this.#mayStep()) this.executed(nodeId, { images: saveGiven(this.#host.files, prefix, images) });
  }

  /** Ends the prompt well. Without images or outputs, the rest is really computed, without delays and progress frames. */
  async finish(options: FinishOptions = {}): Promise<void> {
    if (!this.#mayStep()) return;
    this.#begin();
    this.#hung = false;
    if (options.emptyOutputs) this.#shown.clear();
    else if (options.outputs)
      for (const [node, output] of Object.entries(options.outputs)) this.executed(node, output);
    else if (options.images !== undefined) this.#showGiven(options.images);
    else return this.#runAll({ paced: false, delayHistoryMs: options.delayHistoryMs ?? 0 });
    if (this.#wantsInterrupt) return this.#endInterrupted();
    this.#finishCurrent();
    await this.#succeed(options.delayHistoryMs ?? 0);
  }

  /** Ends the prompt with `execution_error`. */
  fail(options: FailOptions = {}): void {
    if (!this.#mayStep()) return;
    this.#begin();
    this.#hung = false;
    const node = options.nodeId ?? this.#current ?? this.#busyNode();
    if (node !== this.#current) this.#start(node);
    const error = new PythonError(options.type ?? 'RuntimeError', options.message ?? 'simulated failure');
    this.#endFailed(node, error, options.traceback);
  }

  /** No more frames, and deaf to interrupts: the prompt stays in the queue as running. `finish` and `fail` undo it. */
  hang(): void {
    if (!this.#mayStep()) return;
    this.#begin();
    this.#hung = true;
  }

  /** Runs what is left as a free-running server does, with its pace. */
  async runRest(): Promise<void> {
    if (!this.#mayStep()) return;
    this.#hung = false;
    await this.#runAll({ paced: true, delayHistoryMs: 0 });
  }

  /** Called by the server: someone asked this prompt to stop. */
  interrupt(): void {
    if (this.#outcome) return;
    this.#wantsInterrupt = true;
    this.#announceInterrupt();
    this.#pace.wake();
    if (!this.#running && !this.#hung) this.#endInterrupted();
  }

  /** Called by the server: it crashes, and this run with it. */
  lose(): void {
    if (this.#outcome) return;
    this.#outcome = 'lost';
    this.#pace.wake();
    this.#announceDone('lost');
  }

  #mayStep(): boolean {
    if (this.#outcome === 'success' || this.#outcome === 'error') {
      throw new Error(`prompt ${this.promptId} is over (${this.#outcome}); it takes no more steps`);
    }
    return this.#outcome === undefined;
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { cache, info, began, contentOf } = this.#host;
    began(this.clientId);
    this.#frames.message('execution_start', { prompt_id: this.promptId });
    cache.setPrompt(this.prompt, info, (node) => contentOf(this.prompt, node));
    const known = Object.keys(this.prompt).filter((node) => cache.get(node));
    for (const node of known) {
      const ui = cache.get(node)?.ui;
      if (ui) this.#shown.set(node, ui);
    }
    this.#frames.message('execution_cached', { nodes: this.#cached ?? known, prompt_id: this.promptId });
  }

  #start(node: NodeId): void {
    this.#begin();
    this.#finishCurrent();
    this.#current = node;
    this.#frames.start(node);
  }

  #finishCurrent(): void {
    if (this.#current === undefined) return;
    this.#frames.finish(this.#current);
    this.#ran.add(this.#current);
    this.#current = undefined;
  }

  #show(node: NodeId, output: UiOutput): void {
    this.#shown.set(node, { output, meta: metaOf(node) });
    this.#frames.executed(node, output);
  }

  #showGiven(images: GivenImages): void {
    const running = this.prompt[this.#current ?? '']?.class_type ?? '';
    const node = this.#host.info[running]?.output_node === true ? this.#current : this.#item[4][0];
    if (node !== undefined) this.save(node, images);
  }

  async #runAll({ paced, delayHistoryMs }: { paced: boolean; delayHistoryMs: number }): Promise<void> {
    this.#begin();
    this.#running = true;
    try {
      await runGraph({
        host: this.#host,
        prompt: this.prompt,
        extraData: this.extraData,
        outputs: this.#item[4],
        frames: this.#frames,
        pace: this.#pace,
        paced,
        stepped: new Set(this.#ran),
        hasShown: (node) => this.#shown.has(node),
        start: (node) => {
          if (node !== this.#current) this.#start(node);
        },
        show: (node, output) => this.#show(node, output),
        finishCurrent: () => this.#finishCurrent(),
        check: () => this.#check(),
      });
    } catch (error) {
      if (this.#outcome) return;
      if (error instanceof Interrupted) return this.#endInterrupted();
      return this.#endFailed(this.#current ?? this.#item[4][0] ?? '', toPythonError(error));
    } finally {
      this.#running = false;
    }
    await this.#succeed(delayHistoryMs);
  }

  #check(): void {
    if (this.#wantsInterrupt || this.#outcome) throw new Interrupted();
  }

  async #succeed(delayHistoryMs: number): Promise<void> {
    this.#frames.message('execution_success', { prompt_id: this.promptId });
    if (delayHistoryMs > 0) await this.#pace.sleep(delayHistoryMs);
    this.#end('success');
  }

  #endFailed(node: NodeId, error: PythonError, traceback?: string[]): void {
    const told = { executed: [...this.#ran], traceback };
    this.#frames.message('execution_error', errorData(this.promptId, this.prompt, node, error, told));
    this.#end('error');
  }

  #endInterrupted(): void {
    this.#begin();
    if (this.#current === undefined) this.#start(this.#busyNode());
    const node = this.#current ?? '';
    this.#frames.message('execution_interrupted', {
      prompt_id: this.promptId,
      node_id: node,
      node_type: this.prompt[node]?.class_type ?? '',
      executed: [...this.#ran],
    });
    this.#end('interrupted');
  }

  #end(outcome: 'success' | 'error' | 'interrupted'): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    this.#current = undefined;
    this.#host.ended(historyEntry(this.#item, outcome === 'success', this.#frames.messages, this.#shown));
    this.#frames.over();
    this.#announceDone(outcome);
  }

  #busyNode(): NodeId {
    return busyNode(this.prompt, this.#host.info);
  }
}
