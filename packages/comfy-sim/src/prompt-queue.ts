import type { HistoryItem, QueueItem } from './wire.ts';

/** As in ComfyUI: the oldest entries go beyond this many. */
const MAXIMUM_HISTORY = 10_000;

/** Pending prompts by priority, the one that runs, and the history of those that ran. */
export class PromptQueue {
  #pending: QueueItem[] = [];
  #running: QueueItem | undefined;
  #history = new Map<string, HistoryItem>();
  readonly #changed: () => void;

  /** `changed` is called on each change that a server announces with `status`. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get remaining(): number {
    return this.#pending.length + (this.#running ? 1 : 0);
  }

  get running(): QueueItem | undefined {
    return this.#running;
  }

  get pending(): readonly QueueItem[] {
    return this.#pending;
  }

  put(item: QueueItem): void {
    // The lowest number runs first; equal numbers go by prompt id.
    const at = this.#pending.findIndex((other) => precedes(item, other));
    if (at < 0) this.#pending.push(item);
    else this.#pending.splice(at, 0, item);
    this.#changed();
  }

  /** Takes the next prompt to run, unless one runs. */
  take(): QueueItem | undefined {
    if (this.#running) return undefined;
    this.#running = this.#pending.shift();
    if (this.#running) this.#changed();
    return this.#running;
  }

  finish(entry: HistoryItem): void {
    this.#running = undefined;
    const [oldest] = this.#history.keys();
    if (this.#history.size > MAXIMUM_HISTORY && oldest !== undefined) this.#history.delete(oldest);
    this.#history.set(entry.prompt[1], entry);
    this.#changed();
  }

  /** Removes a pending prompt; no trace of it stays. */
  delete(promptId: string): boolean {
    const at = this.#pending.findIndex((item) => item[1] === promptId);
    if (at < 0) return false;
    this.#pending.splice(at, 1);
    // The real server announces the change twice when the queue becomes empty.
    if (this.#pending.length === 0) this.#changed();
    this.#changed();
    return true;
  }

  clear(): void {
    this.#pending = [];
    this.#changed();
  }

  historyIds(): string[] {
    return [...this.#history.keys()];
  }

  historyOf(promptId: string): Record<string, HistoryItem> {
    const entry = this.#history.get(promptId);
    return entry ? { [promptId]: entry } : {};
  }

  /** The last `max` entries, or `max` of them from `offset` on. */
  historyPage(max: number | undefined, offset: number): Record<string, HistoryItem> {
    const from = offset < 0 && max !== undefined ? this.#history.size - max : offset;
    const entries = [...this.#history].slice(Math.max(0, from));
    return Object.fromEntries(max === undefined ? entries : entries.slice(0, Math.max(1, max)));
  }

  deleteHistory(promptId: string): void {
    this.#history.delete(promptId);
  }

  clearHistory(): void {
    this.#history.clear();
  }
}

function precedes(item: QueueItem, other: QueueItem): boolean {
  return item[0] < other[0] || (item[0] === other[0] && item[1] < other[1]);
}
