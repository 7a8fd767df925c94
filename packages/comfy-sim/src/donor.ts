import type { IncomingHttpHeaders } from 'node:http';
import type { FileStore } from './file-store.ts';
import { json, type Reply } from './http-reply.ts';
import type { PromptQueue } from './prompt-queue.ts';
import type { SocketHub } from './socket-hub.ts';
import type { QueueItem } from './wire.ts';
import { isRecord } from './wire.ts';

/** How the machine is lent by its owner, through a pack that guards its ComfyUI. */
export interface DonorOptions {
  /** What the bridge must send with everything; without one, everybody is let in. */
  token?: string;
  /** Unfinished prompts of the bridge at a time. Default 8. */
  maxQueue?: number;
  /** What a pause does to the prompt that runs. Those that wait are dropped. Default `interrupt`. */
  onPause?: 'interrupt' | 'finish';
  /** A prompt whose client has no socket, and which no request named for so long, is ended. Default never. */
  orphanMs?: number;
}

export interface DonorPause {
  reason?: 'command' | 'owner-work' | 'schedule';
  /** ISO 8601 */
  until?: string | null;
  /** Whether sockets hear of it, new ones too. Default true. */
  tell?: boolean;
}

/** One call that had files deleted. */
export interface ForgetCall {
  promptId: string;
  /** `subfolder/name` */
  inputs: string[];
  deleted: number;
}

/** The ComfyUI behind the guard, as far as the guard reaches into it. */
interface Guarded {
  readonly hub: SocketHub;
  readonly queue: PromptQueue;
  readonly files: FileStore;
  readonly run: { interrupt(): void } | undefined;
  isForeign(item: QueueItem): boolean;
  interrupt(promptId: string): void;
}

/** The guard of a machine that is lent: whether it takes prompts, and who may ask it anything. Outlives the process. */
export class Donor {
  readonly forgotten: ForgetCall[] = [];
  /** Requests that came without the token. */
  strangers = 0;
  readonly #options: Required<Omit<DonorOptions, 'token' | 'orphanMs'>> & DonorOptions;
  readonly #heard = new Map<string, number>();
  #paused: { reason: string; until: string | null } | undefined;
  #isQuiet = false;

  constructor(options: DonorOptions) {
    this.#options = { maxQueue: 8, onPause: 'interrupt', ...options };
  }

  status(): Record<string, unknown> {
    const { token, maxQueue } = this.#options;
    const { reason = null, until = null } = this.#paused ?? {};
    const state = this.#paused ? 'paused' : 'available';
    return { v: 1, version: '0.1.0', state, reason, until, maxQueue, lockedDown: token !== undefined };
  }

  pause(engine: Guarded, { reason = 'command', until = null, tell = true }: DonorPause = {}): void {
    this.#paused = { reason, until };
    this.#isQuiet = !tell;
    if (tell) this.#tell(engine);
    const { queue, run } = engine;
    for (const [, promptId] of queue.pending.filter((item) => !engine.isForeign(item)))
      queue.delete(promptId);
    const isOurs = queue.running !== undefined && !engine.isForeign(queue.running);
    if (this.#options.onPause === 'interrupt' && isOurs) run?.interrupt();
  }

  resume(engine: Guarded, { tell = true }: { tell?: boolean } = {}): void {
    this.#paused = undefined;
    this.#isQuiet = false;
    if (tell) this.#tell(engine);
  }

  /** For a new socket. */
  greeting(): Record<string, unknown> | undefined {
    return this.#isQuiet ? undefined : this.status();
  }

  #tell({ hub }: Guarded): void {
    hub.send('comfy_bridge_status', this.status());
  }

  isStranger({ authorization }: IncomingHttpHeaders): boolean {
    const { token } = this.#options;
    if (token === undefined || authorization === `Bearer ${token}`) return false;
    this.strangers += 1;
    return true;
  }

  /** The answer to a request that does not get through to ComfyUI. */
  refuse(route: string, engine: Guarded, headers: IncomingHttpHeaders): Reply | undefined {
    if (this.isStranger(headers)) return json({ error: 'forbidden' }, 403);
    if (route !== 'POST /prompt') return undefined;
    if (this.#paused) return this.#refusePrompt(503, 'donor_paused', this.#paused);
    const { queue } = engine;
    const held = [queue.running, ...queue.pending].filter((item) => item && !engine.isForeign(item)).length;
    return held >= this.#options.maxQueue ? this.#refusePrompt(429, 'donor_queue_full', {}) : undefined;
  }

  #refusePrompt(status: number, type: string, extra: Record<string, unknown>): Reply {
    const error = { type, message: 'This machine takes no prompt now', details: '', extra_info: extra };
    return json({ error, node_errors: {} }, status);
  }

  /** Ends what nobody listens for or asks about. Called as often as that is to be noticed. */
  endOrphans(engine: Guarded): void {
    const { orphanMs } = this.#options;
    if (orphanMs === undefined) return;
    const { queue } = engine;
    for (const item of [queue.running, ...queue.pending]) {
      if (item === undefined || engine.isForeign(item)) continue;
      const [, promptId, , { client_id: clientId }] = item;
      const isHeard = typeof clientId === 'string' && engine.hub.isOpen(clientId);
      if (isHeard || !this.#heard.has(promptId)) this.named(promptId);
      if (Date.now() - (this.#heard.get(promptId) ?? 0) < orphanMs) continue;
      if (!queue.delete(promptId)) engine.interrupt(promptId);
    }
  }

  /** A request of the bridge named this prompt. */
  named(promptId: string): void {
    this.#heard.set(promptId, Date.now());
  }

  get watchesOrphans(): boolean {
    return this.#options.orphanMs !== undefined;
  }

  /** Then whoever has no token may do nothing at all here, its owner included. */
  get isLocked(): boolean {
    return this.#options.token !== undefined;
  }

  forget(engine: Guarded, body: unknown): Reply {
    if (!isRecord(body) || typeof body.prompt_id !== 'string') return json({ error: 'bad_request' }, 400);
    const { prompt_id: promptId } = body;
    const unfinished: (QueueItem | undefined)[] = [engine.queue.running, ...engine.queue.pending];
    if (unfinished.some((item) => item?.[1] === promptId)) return json({ error: 'unfinished' }, 409);
    const inputs = (Array.isArray(body.inputs) ? body.inputs.filter(isRecord) : []).map(toKey);
    let deleted = 0;
    for (const key of inputs) deleted += engine.files.remove('input', key) ? 1 : 0;
    const { outputs = {} } = engine.queue.historyOf(promptId)[promptId] ?? {};
    for (const file of Object.values(outputs).flatMap((shown) => Object.values(shown).flat())) {
      if (!isRecord(file) || typeof file.filename !== 'string') continue;
      const type = file.type === 'temp' ? 'temp' : 'output';
      deleted += engine.files.remove(type, toKey({ ...file, name: file.filename })) ? 1 : 0;
    }
    engine.queue.deleteHistory(promptId);
    this.forgotten.push({ promptId, inputs, deleted });
    return json({ deleted });
  }
}

function toKey({ name, subfolder }: Record<string, unknown>): string {
  return typeof subfolder === 'string' && subfolder !== '' ? `${subfolder}/${String(name)}` : String(name);
}
