import { randomUUID } from 'node:crypto';
import { containedKey, splitAnnotation, type FileStore } from './file-store.ts';
import { LoadedModels } from './loaded-models.ts';
import { contentKey } from './nodes/picture-memo.ts';
import { NodeCache } from './node-cache.ts';
import { createObjectInfo, type ObjectInfo } from './object-info.ts';
import { PromptQueue } from './prompt-queue.ts';
import { PromptRun } from './prompt-run.ts';
import type { ResolvedOptions } from './sim-options.ts';
import { SocketHub } from './socket-hub.ts';
import type { ApiPrompt, ExtraData, NodeId, QueueItem } from './wire.ts';

/** All that a ComfyUI process holds in memory and loses when it dies. Files outlive it. */
export class Engine {
  readonly hub: SocketHub;
  readonly queue: PromptQueue;
  readonly models: LoadedModels;
  readonly files: FileStore;
  readonly options: ResolvedOptions;
  readonly #cache = new NodeCache();
  readonly #started: (run: PromptRun) => void;
  /** Prompts that no test drives and that do not run by themselves: the owner's own. */
  readonly #foreign = new Set<string>();
  #run: PromptRun | undefined;
  #client: string | undefined;
  #number = 0;
  #scheduled = false;
  #dead = false;
  #toFree = { models: false, cache: false };
  #info: { inputs: string[]; info: ObjectInfo; told: ObjectInfo } | undefined;

  constructor(options: ResolvedOptions, files: FileStore, started: (run: PromptRun) => void) {
    this.options = options;
    this.files = files;
    this.#started = started;
    this.models = new LoadedModels(options.vramTotal, options.needs);
    this.queue = new PromptQueue(() => this.#announceQueue());
    this.hub = new SocketHub({
      queueRemaining: () => this.queue.remaining,
      runningNodeOf: (sid) => (sid === this.#client ? this.#run?.currentNode : undefined),
      serverFlags: () => this.serverFlags(),
      donorGreeting: () => options.donor?.greeting(),
    });
    files.clearTemp();
  }

  /** The nodes and models that are there. */
  get info(): ObjectInfo {
    return this.#definitions().info;
  }

  /** What it says of them. */
  get toldInfo(): ObjectInfo {
    return this.#definitions().told;
  }

  /** What it says is in a folder. */
  toldModels(folder: string): string[] {
    const { models, lies } = this.options;
    return [...(models[folder] ?? []), ...(lies.models[folder] ?? [])];
  }

  setModels(folder: string, files: readonly string[]): void {
    this.options.models[folder] = [...files];
    this.#info = undefined;
  }

  /** Rebuilt only when the files change that LoadImage offers, or the models. */
  #definitions(): { info: ObjectInfo; told: ObjectInfo } {
    const inputFiles = this.files.topLevelInputs();
    if (this.#info?.inputs !== inputFiles) {
      const { models, nodes, lies } = this.options;
      const info = createObjectInfo({ inputFiles, models, ...nodes });
      const lied = Object.keys(lies.models).map((folder) => [folder, this.toldModels(folder)]);
      const toldModels = { ...models, ...Object.fromEntries(lied) };
      const add = { ...nodes.add, ...lies.nodes };
      const remove = nodes.remove.filter((name) => !Object.hasOwn(lies.nodes, name));
      const told = createObjectInfo({ inputFiles, models: toldModels, add, remove });
      this.#info = { inputs: inputFiles, info, told };
    }
    return this.#info;
  }

  get run(): PromptRun | undefined {
    return this.#run;
  }

  serverFlags(): Record<string, unknown> | undefined {
    if (!this.options.features.previewMetadata) return undefined;
    return { supports_preview_metadata: true, max_upload_size: this.options.maxUploadBytes };
  }

  /** The number of the next prompt without a number of its own; `front` puts it before all others. */
  nextNumber(front: boolean): number {
    const number = this.#number;
    this.#number += 1;
    return front ? -number : number;
  }

  submit(number: number, promptId: string, prompt: ApiPrompt, extraData: ExtraData, outputs: NodeId[]): void {
    this.queue.put([number, promptId, prompt, extraData, outputs]);
    this.#schedule();
  }

  /** A prompt of the machine's owner: it takes its turn and then runs until told to end. */
  submitForeign(prompt: ApiPrompt): string {
    const promptId = randomUUID();
    this.#foreign.add(promptId);
    const outputs = Object.keys(prompt).filter((id) => this.info[prompt[id]?.class_type ?? '']?.output_node);
    this.submit(this.nextNumber(false), promptId, prompt, { client_id: randomUUID() }, outputs);
    return promptId;
  }

  isForeign([, promptId]: QueueItem): boolean {
    return this.#foreign.has(promptId);
  }

  /** Stops what runs: whatever it is, or only the prompt named. */
  interrupt(promptId?: string): boolean {
    if (!this.#run || (promptId !== undefined && this.#run.promptId !== promptId)) return false;
    this.#run.interrupt();
    return true;
  }

  /** Takes effect between prompts, as in the real server. */
  free(what: { models: boolean; cache: boolean }): void {
    this.#toFree = { models: this.#toFree.models || what.models, cache: this.#toFree.cache || what.cache };
    this.#schedule();
  }

  hasInput(annotatedName: string): boolean {
    return this.#inputFile(annotatedName) !== undefined;
  }

  /** The process dies: connections are cut, and what ran or waited is gone. */
  die(): void {
    this.#dead = true;
    this.#run?.lose();
    this.#run = undefined;
    this.hub.drop();
  }

  #announceQueue(): void {
    this.hub.send('status', { status: { exec_info: { queue_remaining: this.queue.remaining } } });
  }

  /** The worker looks for the next prompt a moment later, so that the answer to `POST /prompt` goes out first. */
  #schedule(): void {
    if (this.#scheduled || this.#dead) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#dead && !this.#run) this.#work();
    });
  }

  #work(): void {
    if (this.#toFree.models || this.#toFree.cache) this.models.unloadAll();
    if (this.#toFree.cache) this.#cache.clear();
    this.#toFree = { models: false, cache: false };
    const item = this.queue.take();
    if (!item) return;
    const { options, hub, files, models, info } = this;
    const run = new PromptRun(
      {
        options,
        hub,
        files,
        models,
        info,
        cache: this.#cache,
        contentOf: (prompt, node) => this.#contentOf(prompt, node),
        began: (clientId) => {
          this.#client = clientId;
        },
        ended: (entry) => {
          this.#run = undefined;
          this.queue.finish(entry);
          this.#schedule();
        },
      },
      item,
    );
    this.#run = run;
    if (this.isForeign(item)) {
      run.start(Object.keys(run.prompt)[0] ?? '');
      return;
    }
    this.#started(run);
    if (options.mode === 'free') void run.runRest();
  }

  #contentOf(prompt: ApiPrompt, node: NodeId): string {
    const { class_type: classType = '', inputs = {} } = prompt[node] ?? {};
    if (!classType.startsWith('LoadImage') || typeof inputs.image !== 'string') return '';
    const file = this.#inputFile(inputs.image);
    return file ? `${contentKey(file.bytes.subarray(0, 4096))}:${file.bytes.length}:${file.modified}` : '';
  }

  #inputFile(annotatedName: string) {
    const { name, type = 'input' } = splitAnnotation(annotatedName);
    const key = containedKey('', name);
    return key === undefined ? undefined : this.files.get(type, key);
  }
}
