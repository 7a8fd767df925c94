import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node program of ours in a process of its own. Ended, by force in the end, when it is disposed of. */
export interface OwnProcess extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly isRunning: boolean;
  readonly exited: Promise<Exit>;
  /** SIGKILL; resolves when it is gone. */
  kill9(): Promise<void>;
  /** SIGTERM, and SIGKILL when it has not ended `withinMs` later. */
  term(withinMs?: number): Promise<Exit & { tookMs: number }>;
  /** SIGSTOP: sockets stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Sends a message and awaits the answer; only for programs that answer. */
  ask(message: unknown): Promise<unknown>;
}

export interface OwnProcessOptions {
  args: readonly string[];
  cwd?: string;
  env?: Record<string, string>;
  onLine(line: string, stream: 'out' | 'err'): void;
}

/** The settings of this shell are no settings of the programs under test. */
const inherited = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SystemRoot'];

export function startOwnProcess({ args, cwd, env, onLine }: OwnProcessOptions): OwnProcess {
  const base = Object.fromEntries(inherited.map((key) => [key, process.env[key]]));
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...base, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const [stream, name] of [
    [child.stdout, 'out'],
    [child.stderr, 'err'],
  ] as const) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => onLine(line, name));
  }
  // A message to a process that has just died: whoever asked sees its exit.
  child.on('error', () => {});
  const exited = once(child, 'close').then((): Exit => ({ code: child.exitCode, signal: child.signalCode }));
  const isRunning = () => child.exitCode === null && child.signalCode === null;

  async function kill9(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }

  return {
    pid: child.pid ?? 0,
    child,
    get isRunning() {
      return isRunning();
    },
    exited,
    kill9,
    async term(withinMs = 15_000) {
      const startedAt = performance.now();
      child.kill('SIGTERM');
      const late = delay(withinMs, 'late' as const, { ref: false });
      if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
      return { ...(await exited), tookMs: performance.now() - startedAt };
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async ask(message) {
      const answer = once(child, 'message', { signal: AbortSignal.timeout(10_000) });
      child.send(message as object);
      const [received]: unknown[] = await answer;
      return received;
    },
    async [Symbol.asyncDispose]() {
      if (isRunning()) await kill9();
      await exited;
    },
  };
}
