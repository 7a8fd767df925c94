#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createNodeDisk } from './disk/node-disk.ts';
import { askHttp } from './outside/ask-http.ts';
import { runProgram } from './outside/run-program.ts';
import { runCli } from './run-cli.ts';
import { version } from './version.ts';

const here = dirname(fileURLToPath(import.meta.url));
const beside = join(here, 'payload');

process.exitCode = await runCli(process.argv.slice(2), {
  disk: createNodeDisk(),
  version,
  // Set by whoever starts this under another name.
  calledAs: process.env['COMFY_BRIDGE_PATCH_CALLED_AS'] ?? 'comfy-bridge-patch',
  // Beside the built file; from the sources, where the build puts it.
  payloadFolder: existsSync(beside) ? beside : join(here, '..', 'dist', 'payload'),
  temporaryFolder: tmpdir(),
  hostName: hostname(),
  isWindows: process.platform === 'win32',
  userId: process.getuid?.(),
  now: () => new Date(),
  makeToken: () => randomBytes(32).toString('base64url'),
  ask: askHttp,
  runProgram,
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
});
