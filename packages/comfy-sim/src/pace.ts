import { worksInSteps } from './stepping-node.ts';
import type { ApiPrompt, NodeId } from './wire.ts';

/** How long things take in one run: sleeping that can be cut short, and a time table when the whole time is given. */
export class Pace {
  #wake: (() => void) | undefined;
  #runMs: number | undefined;
  #startedAt = 0;
  #units = 1;
  #done = 0;

  /** With `runMs` the given nodes share that time by their steps; without, each step takes its own. */
  plan(runMs: number | undefined, nodes: NodeId[], prompt: ApiPrompt): void {
    this.#runMs = runMs;
    this.#startedAt = performance.now();
    this.#done = 0;
    this.#units = nodes.reduce((sum, node) => sum + stepsOf(prompt, node), 0) || 1;
  }

  /** True when nothing takes time, so steps need not be told one by one. */
  get instant(): boolean {
    return this.#runMs === 0;
  }

  /** Waits as long as one step takes. */
  async step(ownMs: number): Promise<void> {
    if (this.#runMs === undefined) return this.sleep(ownMs);
    this.#done += 1;
    return this.#until(this.#done / this.#units);
  }

  async untilEnd(): Promise<void> {
    if (this.#runMs !== undefined) await this.#until(1);
  }

  /** Ends early when woken. */
  sleep(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      this.#wake = done;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
  }

  wake(): void {
    this.#wake?.();
  }

  async #until(share: number): Promise<void> {
    const due = this.#startedAt + (this.#runMs ?? 0) * Math.min(1, share);
    await this.sleep(due - performance.now());
  }
}

function stepsOf(prompt: ApiPrompt, node: NodeId): number {
  const { class_type = '', inputs = {} } = prompt[node] ?? {};
  return worksInSteps(class_type) && typeof inputs.steps === 'number' ? inputs.steps : 1;
}
