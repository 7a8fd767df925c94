import { createDonorHandle, type SimDonor } from './donor-handle.ts';
import { Engine } from './engine.ts';
import { examplePng } from './example-png.ts';
import type { Fault } from './faults.ts';
import { FileStore } from './file-store.ts';
import { HttpFront } from './http-front.ts';
import type { Forgery } from './nodes/forge.ts';
import { FOREIGN, type ForeignPrompt } from './foreign-prompt.ts';
import type { PromptRun } from './prompt-run.ts';
import type { LoggedRequest } from './request-log.ts';
import { openEditor, type Editor } from './routes/editor-routes.ts';
import { resolveOptions, type ResolvedOptions, type SimOptions } from './sim-options.ts';
import type { ApiPrompt, FileType } from './wire.ts';

export type { DonorOptions, DonorPause, ForgetCall } from './donor.ts';
export type { SimDonor } from './donor-handle.ts';
export type { Fault } from './faults.ts';
export type { ForeignPrompt } from './foreign-prompt.ts';
export type { Forgery } from './nodes/forge.ts';
export type { GivenImages } from './given-images.ts';
export type { FailOptions, FinishOptions, Outcome } from './step-options.ts';
export type { LoggedRequest } from './request-log.ts';
export type { SimFeatures, SimLies, SimOptions } from './sim-options.ts';
export type {
  ApiPrompt,
  ExtraData,
  FileRef,
  FileType,
  HistoryItem,
  InputSpec,
  NodeDefinition,
  UiOutput,
} from './wire.ts';
export type { PromptRun } from './prompt-run.ts';

/** How long `nextPrompt` waits, in milliseconds. */
const NEXT_PROMPT_MS = 10_000;

export interface Sim extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `127.0.0.1:12345` */
  readonly address: string;
  readonly name: string;
  /**
   * The next prompt that starts and was not handed out yet, in order. Rejects after ten seconds. In free mode prompts
   * are not kept for later: only one that starts while somebody waits is handed out.
   */
  nextPrompt(): Promise<PromptRun>;
  /** Requests so far per route: `POST /prompt`, `GET /history/:id`, `GET /ws`. `/api/x` counts as `/x`. */
  readonly counters: Readonly<Record<string, number>>;
  /** The last requests; JSON bodies included. */
  readonly requests: readonly LoggedRequest[];
  /** Prompt ids. */
  queue(): { running: string[]; pending: string[] };
  history(): string[];
  /** `name` or `subfolder/name`, oldest first. */
  files(type: FileType): string[];
  readFile(type: FileType, name: string): Uint8Array | undefined;
  /** Open WebSockets. */
  sockets(): number;
  /** Sabotages the next requests of a route. Faults of a route queue up. */
  failNext(route: string, fault: Fault, times?: number): void;
  /** On: the port is closed and connections are cut; the server keeps its state. Off: it listens again. */
  refuse(on: boolean): Promise<void>;
  /** On: connections are accepted, nothing is answered. Off: all that waited is answered. */
  hang(on: boolean): void;
  /** Cuts all WebSockets; prompts go on. */
  dropSockets(): void;
  /** Dies and comes back on the same port: queue, history and temp files are lost, input and output stay. */
  restart(): Promise<void>;
  /** Dies like after kill -9. `restart` brings it back. */
  crash(): void;
  /** Sends anything to the sockets of a client, or to all. */
  sendRaw(data: string | Uint8Array, clientId?: string): void;
  /** Sends many `progress` events of the running prompt, so many per turn of the event loop. */
  floodProgress(total: number, perTick?: number): Promise<void>;
  addForeignPrompt(): ForeignPrompt;
  /** What its owner does, and what is known of the bridge. Throws on a machine that is not lent. */
  readonly donor: SimDonor;
  /** Its owner put files into a model folder or took some out: all that are there now. */
  setModels(folder: string, files: readonly string[]): void;
  /**
   * From now on it saves forged pictures, of all prompts or of those that `about` names; undefined: the right ones again.
   * Pictures that a test gives to `finish` are saved as they are.
   */
  lie(forgery: Forgery | undefined, about?: (prompt: ApiPrompt) => boolean): void;
  /** Removes the faults not yet used. */
  clearFaults(): void;
  close(): Promise<void>;
}

/** Starts a simulated ComfyUI and resolves when it listens. */
export async function startSim(options: SimOptions = {}): Promise<Sim> {
  const resolved = resolveOptions(options);
  const sim = new SimServer(resolved, await openEditor(resolved));
  await sim.listen();
  return sim;
}

class SimServer implements Sim {
  readonly donor: SimDonor & Disposable;
  readonly #options: ResolvedOptions;
  readonly #files = new FileStore();
  readonly #front: HttpFront;
  readonly #started: PromptRun[] = [];
  readonly #waiters: {
    resolve: (run: PromptRun) => void;
    reject: (error: Error) => void;
    timer: NodeJS.Timeout;
  }[] = [];
  #engine: Engine;
  #closed = false;

  constructor(options: ResolvedOptions, editor: Editor | undefined) {
    this.#options = options;
    this.#files.put('input', 'example.png', examplePng());
    for (const [name, bytes] of Object.entries(options.inputFiles)) this.#files.put('input', name, bytes);
    this.#engine = this.#boot();
    this.donor = createDonorHandle(options, () => this.#engine);
    const { host, port, maxUploadBytes: maxBytes, features } = options;
    const { jobsApi } = features;
    this.#front = new HttpFront({ host, port, maxBytes, jobsApi, editor }, () => this.#engine);
  }

  get name(): string {
    return this.#options.name;
  }

  get host(): string {
    return this.#options.host;
  }

  get port(): number {
    return this.#front.port;
  }

  get address(): string {
    return `${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#front.log.counters;
  }

  get requests(): readonly LoggedRequest[] {
    return this.#front.log.requests;
  }

  listen(): Promise<void> {
    return this.#front.listen();
  }

  nextPrompt(): Promise<PromptRun> {
    const run = this.#started.shift();
    if (run) return Promise.resolve(run);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(
          new Error(`${this.name} at ${this.address}: no prompt started within ${NEXT_PROMPT_MS / 1000} s`),
        );
      }, NEXT_PROMPT_MS);
      const waiter = { resolve, reject, timer };
      this.#waiters.push(waiter);
    });
  }

  queue(): { running: string[]; pending: string[] } {
    const { running, pending } = this.#engine.queue;
    return { running: running ? [running[1]] : [], pending: pending.map((item) => item[1]) };
  }

  history(): string[] {
    return this.#engine.queue.historyIds();
  }

  files(type: FileType): string[] {
    return this.#files.keys(type);
  }

  readFile(type: FileType, name: string): Uint8Array | undefined {
    return this.#files.get(type, name)?.bytes;
  }

  sockets(): number {
    return this.#engine.hub.size;
  }

  failNext(route: string, fault: Fault, times = 1): void {
    this.#front.faults.add(route, fault, times);
  }

  clearFaults(): void {
    this.#front.faults.clear();
  }

  async refuse(on: boolean): Promise<void> {
    if (on) await this.#front.shut();
    else await this.#front.listen();
  }

  hang(on: boolean): void {
    this.#front.hang(on);
    this.#engine.hub.hold(on);
  }

  dropSockets(): void {
    this.#engine.hub.drop();
  }

  async restart(): Promise<void> {
    await this.#die();
    this.#engine = this.#boot();
    await this.#front.listen();
  }

  crash(): void {
    void this.#die();
  }

  sendRaw(data: string | Uint8Array, clientId?: string): void {
    this.#engine.hub.sendRaw(data, clientId);
  }

  async floodProgress(total: number, perTick = 1000): Promise<void> {
    const { run, hub } = this.#engine;
    if (!run) throw new Error('floodProgress needs a running prompt');
    const node = run.currentNode ?? Object.keys(run.prompt)[0];
    for (let sent = 0; sent < total; sent += 1) {
      hub.send('progress', { value: sent + 1, max: total, prompt_id: run.promptId, node }, run.clientId);
      if (sent % perTick === perTick - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  addForeignPrompt(): ForeignPrompt {
    const engine = this.#engine;
    const promptId = engine.submitForeign(structuredClone(FOREIGN));
    const finish = async (): Promise<void> => {
      if (engine.queue.delete(promptId)) return;
      if (engine.run?.promptId === promptId) await engine.run.finish();
    };
    return { promptId, finish };
  }

  setModels(folder: string, files: readonly string[]): void {
    this.#engine.setModels(folder, files);
  }

  lie(forgery: Forgery | undefined, about: (prompt: ApiPrompt) => boolean = () => true): void {
    this.#options.liar = forgery && { forgery, about };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.donor[Symbol.dispose]();
    const died = this.#die();
    for (const { reject, timer } of this.#waiters.splice(0)) {
      clearTimeout(timer);
      reject(new Error(`${this.name} was closed`));
    }
    await died;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #die(): Promise<void> {
    this.#engine.die();
    const shut = this.#front.shut();
    this.#front.hang(false);
    // Runs nobody asked for yet died with the process.
    this.#started.length = 0;
    return shut;
  }

  #boot(): Engine {
    return new Engine(this.#options, this.#files, (run) => this.#handOut(run));
  }

  #handOut(run: PromptRun): void {
    const waiter = this.#waiters.shift();
    if (waiter) {
      clearTimeout(waiter.timer);
      waiter.resolve(run);
      return;
    }
    // A free-running simulator would pile up runs that nobody asks for.
    if (this.#options.mode === 'step') this.#started.push(run);
  }
}
