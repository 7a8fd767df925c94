import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { ProcessFigures } from './_loop-delay.ts';

const preload = join(import.meta.dirname, '_loop-delay.ts');

export interface MeasuredProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it cost since the last call. `collect`: after a garbage collection. */
  take(options?: { collect?: boolean }): Promise<ProcessFigures>;
}

export interface StartOptions {
  args: readonly string[];
  cwd?: string;
  env?: Record<string, string>;
  /** More arguments for Node itself. */
  nodeArgs?: readonly string[];
}

/** Starts a Node program that answers what it costs. Ended, and its end awaited, on disposal. */
export function startMeasured({ args, cwd, env, nodeArgs = [] }: StartOptions): MeasuredProcess {
  const child = spawn(process.execPath, ['--expose-gc', '--import', preload, ...nodeArgs, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  exited.catch(() => {}); // could not be started: whoever waits for its first line is told
  return {
    child,
    async take({ collect = false } = {}) {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(30_000) });
      child.send(collect ? 'collect' : 'take');
      const [message]: unknown[] = await answer;
      return parseFigures(message);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const late = delay(15_000, 'late', { ref: false });
      if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The other side is our own preload. */
function parseFigures(message: unknown): ProcessFigures {
  if (typeof message !== 'object' || message === null || !('delayP99' in message)) {
    throw new Error('a measured process answered something else than figures');
  }
  return message as ProcessFigures;
}
