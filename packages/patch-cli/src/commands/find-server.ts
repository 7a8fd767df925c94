import { dirname, resolve } from 'node:path';

import { z } from 'zod';

import type { Host } from './host.ts';

/** `this`: a running ComfyUI was started from this folder. `some`: one runs there, and does not say from where. */
export type FoundServer = 'none' | 'this' | 'other' | 'some';

const stats = z.object({ system: z.object({ argv: z.array(z.string()).optional() }) });

/** Looks whether a ComfyUI runs on this machine, at the usual port: it has loaded what was there when it started. */
export async function findServer({ ask, disk }: Host, root: string, port: number): Promise<FoundServer> {
  const answer = await ask({ url: `http://127.0.0.1:${port}/system_stats`, method: 'GET', timeoutMs: 1_500 });
  if (answer.kind !== 'answer') return 'none';
  // Locked by donor mode: to be one of ours it need not be this one.
  if (answer.status === 403) return 'some';
  const program = parseProgram(answer.body);
  if (program === undefined) return 'none';
  if (program === '') return 'some';
  // A relative path is relative to the folder that it was started in, which it does not tell.
  if (resolve(program) !== program) return 'some';
  return disk.realPath(dirname(program)) === root ? 'this' : 'other';
}

/** The first argument; empty when it is not told, undefined when this is no ComfyUI. */
function parseProgram(body: string): string | undefined {
  try {
    return stats.parse(JSON.parse(body)).system.argv?.[0] ?? '';
  } catch {
    return undefined;
  }
}
