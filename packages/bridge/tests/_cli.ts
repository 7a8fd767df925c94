import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';

import type { CliHost, CliOutput } from '../src/cli/cli-host.ts';
import { runCli } from '../src/cli/run-cli.ts';

export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** Where the bridge is. */
  url?: string;
  env?: Record<string, string>;
  stdin?: string | Buffer;
  /** Of settings and of files; default a folder without either. */
  cwd?: string;
}

/** Where no test writes. */
const nowhere = join(tmpdir(), 'comfy-bridge-cli-nowhere');

/** One command in this process: the same code as in a shell, without its start. */
export async function cli(
  args: readonly string[],
  { url, env, stdin = '', cwd = nowhere }: CliOptions = {},
): Promise<CliRun> {
  const [stdout, stderr] = [collect(), collect()];
  const host: CliHost = {
    env: { ...(url !== undefined && { COMFY_BRIDGE_URL: url }), ...env },
    cwd,
    filesFrom: cwd,
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
  };
  const code = await runCli(args, host);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { stream: CliOutput; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}

const main = join(import.meta.dirname, '../src/main.ts');

/** The real program, as a shell starts it. */
export function spawnCli(args: readonly string[], { url, env, cwd = tmpdir() }: CliOptions = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...(url !== undefined && { COMFY_BRIDGE_URL: url }), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [gather(child.stdout), gather(child.stderr)];
  const closed = once(child, 'close');
  return {
    child,
    stdout,
    stderr,
    closed,
    /** Its end, with what it printed. */
    async done(): Promise<CliRun> {
      await closed;
      return { code: child.exitCode ?? -1, stdout: stdout.text(), stderr: stderr.text() };
    },
  };
}

/** What comes, and when something of it has come. */
function gather(stream: Readable) {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return {
    text: () => text,
    async said(pattern: RegExp): Promise<void> {
      const late = AbortSignal.timeout(15_000);
      try {
        while (!pattern.test(text)) await once(stream, 'data', { signal: late });
      } catch (cause) {
        throw new Error(`it did not say ${pattern}, but: ${text}`, { cause });
      }
    },
  };
}

/** A folder for the files of one test. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bridge-cli-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
