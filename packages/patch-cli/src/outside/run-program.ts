import { execFile } from 'node:child_process';

import type { Ended } from '../commands/host.ts';

/** Runs a program without a shell, for ten seconds at most; undefined when it cannot be started. */
export function runProgram(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { timeout: 10_000, maxBuffer: 1_000_000, windowsHide: true };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (error === null) resolve({ code: 0, output });
      else if (typeof error.code === 'string') resolve(undefined);
      else resolve({ code: error.code ?? null, output });
    });
  });
}
