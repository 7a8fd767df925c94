import type { Readable, Writable } from 'node:stream';

import type { Environment } from '../config/sources.ts';

/** A stream for people or for a program; what a terminal has beyond it is absent elsewhere. */
export interface CliOutput extends Writable {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** What a command has of the process around it. */
export interface CliHost {
  env: Environment;
  /** Where `.env`, config.json and the relative paths of settings count from. */
  cwd: string;
  /** Where relative paths of the command line count from. */
  filesFrom: string;
  stdin: Readable & { isTTY?: boolean | undefined };
  /** Results only. */
  stdout: CliOutput;
  /** Progress and messages. */
  stderr: CliOutput;
}

/** Of this process. `npm run` moves to the root of the repository; `COMFY_BRIDGE_FILES_FROM` says where it was called. */
export function hostOfProcess(): CliHost {
  const { env, stdin, stdout, stderr } = process;
  const cwd = process.cwd();
  return { env, cwd, filesFrom: env['COMFY_BRIDGE_FILES_FROM'] || cwd, stdin, stdout, stderr };
}
