import { join } from 'node:path';

import { findFreePort } from './_free-port.ts';
import { startOwnProcess } from './_own-process.ts';
import type { OwnProcess } from './_own-process.ts';
import { readQueue } from './_read-queue.ts';
import { waitUntil } from './_wait-until.ts';

export interface StartedPrompt {
  promptId: string;
  /** The job's number; undefined for prompts of others. */
  number?: number;
  /** ms since the epoch */
  at: number;
  outcome?: string;
}

/** A simulated ComfyUI as a process of its own. What it started is remembered over its deaths. */
export interface BackendProcess extends AsyncDisposable {
  /** `127.0.0.1:12345` */
  readonly address: string;
  readonly isRunning: boolean;
  readonly isPaused: boolean;
  /** Every prompt that it ever started, in order. */
  readonly started: readonly StartedPrompt[];
  kill9(): Promise<void>;
  /** On the same port, with nothing left of what it had. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Prompt ids, asked of the process itself. */
  queue(): Promise<{ running: string[]; pending: string[] }>;
}

export interface BackendOptions {
  /** How long one step takes; default 20 ms. */
  stepMs?: number;
  /** How long each prompt takes in all; default: by its steps. */
  runMs?: number;
}

const program = join(import.meta.dirname, '_sim-process.ts');

export async function startBackend({ stepMs = 20, runMs }: BackendOptions = {}): Promise<BackendProcess> {
  const port = await findFreePort();
  const started: StartedPrompt[] = [];
  let own: OwnProcess | undefined;
  let paused = false;

  async function start(): Promise<void> {
    let listening = false;
    const child = startOwnProcess({
      args: [program, JSON.stringify({ port, stepMs, runMs: runMs ?? null })],
      onLine(line) {
        if (!line.startsWith('{')) return;
        const told = JSON.parse(line) as {
          listening?: string;
          started?: StartedPrompt;
          ended?: StartedPrompt;
        };
        if (told.listening !== undefined) listening = true;
        if (told.started !== undefined) started.push(told.started);
        const { ended } = told;
        const begun = started.findLast(({ promptId }) => promptId === ended?.promptId);
        if (begun !== undefined && ended?.outcome !== undefined) begun.outcome = ended.outcome;
      },
    });
    own = child;
    paused = false;
    await waitUntil('a simulated backend', () => listening || !child.isRunning, { withinMs: 15_000 });
    if (!listening) throw new Error(`a simulated backend did not start on port ${port}`);
  }

  await start();
  return {
    address: `127.0.0.1:${port}`,
    get isRunning() {
      return own?.isRunning ?? false;
    },
    get isPaused() {
      return paused;
    },
    started,
    async kill9() {
      await own?.kill9();
    },
    start,
    pause() {
      paused = true;
      own?.pause();
    },
    resume() {
      paused = false;
      own?.resume();
    },
    queue: () => readQueue(`http://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: async () => own?.[Symbol.asyncDispose](),
  };
}
