import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Answer, Ended } from '../src/commands/host.ts';
import type { Disk } from '../src/disk/disk.ts';
import { createNodeDisk } from '../src/disk/node-disk.ts';
import { runCli } from '../src/run-cli.ts';
import type { CliHost } from '../src/run-cli.ts';
import { payloadTree, writeTree } from './_tree.ts';
import type { Tree } from './_tree.ts';

/** The real disk, without waiting for it: nobody pulls the plug on a test. */
export const disk = createNodeDisk({ sync: false });

export interface CliWorld {
  payload: string;
  disk?: Disk;
  version?: string;
  answer?: Answer;
  ended?: Ended;
  host?: Partial<CliHost>;
}

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** A payload folder for `runIn`. */
export function createPayload(folder: string, tree: Tree = payloadTree): string {
  writeTree(folder, tree);
  return folder;
}

/** The whole command line in this process. Nothing is running and no program is there, unless `answer` or `ended` say so. */
export async function runIn(world: CliWorld, ...args: string[]): Promise<Said> {
  const said: Said = { code: -1, out: '', err: '' };
  said.code = await runCli(args, {
    disk: world.disk ?? disk,
    version: world.version ?? '0.1.0',
    calledAs: 'comfy-bridge-patch',
    payloadFolder: world.payload,
    temporaryFolder: world.payload,
    hostName: 'donor-pc',
    isWindows: false,
    userId: undefined,
    now: () => new Date('2026-01-02T03:04:05Z'),
    makeToken: () => 'made-up-token-made-up-token',
    ask: async () => world.answer ?? { kind: 'refused' },
    runProgram: async () => world.ended,
    print: (text) => {
      said.out += text;
    },
    complain: (text) => {
      said.err += text;
    },
    ...world.host,
  });
  return said;
}

/** After a killed run: its lock names this very process, which lives on; no real one would. */
export function buryHolder(root: string): void {
  const path = join(root, '.comfy-bridge', 'lock');
  if (!existsSync(path)) return;
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/"pid":\d+/, '"pid":999999999'));
}
