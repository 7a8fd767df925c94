import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { createClient } from './bridge.ts';
import { BridgeError } from './errors.ts';
import { generateTypes } from './generate-types.ts';
import { nodePlatform } from './platform-node.ts';
import { mapLimited } from './waiting.ts';

export interface CliHost {
  env: Readonly<Record<string, string | undefined>>;
  print(text: string): void;
  complain(text: string): void;
}

const usage = `Usage: comfy-bridge-client types --url http://127.0.0.1:8000 [--out workflows.d.ts] [--check]

Writes TypeScript types for the workflows of a bridge: their aliases, inputs and outputs.

  --url URL       where the bridge is; or the variable COMFY_BRIDGE_URL
  --out FILE      where to write; default: standard output
  --check         write nothing; exit code 1 when FILE is not what would be written
  --api-key KEY   sent as Authorization: Bearer; or the variable COMFY_BRIDGE_API_KEY
  --help          this text

Exit codes: 0 done, 1 out of date (--check), 2 wrong usage, 3 the bridge or the file cannot be reached.
`;

class UsageError extends Error {}

/** The command line; resolves to the exit code. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  try {
    return await run(args, host);
  } catch (error) {
    if (error instanceof UsageError) {
      host.complain(`${error.message}\n\n${usage}`);
      return 2;
    }
    host.complain(`${error instanceof Error ? error.message : String(error)}\n`);
    return 3;
  }
}

async function run(args: readonly string[], { env, print, complain }: CliHost): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    print(usage);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command !== 'types' || rest.length > 0)
    throw new UsageError(
      command === undefined ? 'Say what to do: types' : `There is no command ${positionals.join(' ')}`,
    );
  const url = values.url ?? env['COMFY_BRIDGE_URL'];
  const apiKey = values['api-key'] ?? env['COMFY_BRIDGE_API_KEY'];
  const { out, check } = values;
  if (url === undefined) throw new UsageError('Say where the bridge is: --url http://127.0.0.1:8000');
  if (check === true && out === undefined)
    throw new UsageError('--check compares with a file: say which with --out');

  const text = await fetchTypes(url, apiKey);
  if (out === undefined) print(text);
  else if (check !== true) await writeFile(out, text);
  else if ((await readText(out)) !== text) {
    complain(`${out} is out of date: run comfy-bridge-client types without --check\n`);
    return 1;
  }
  return 0;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        out: { type: 'string' },
        check: { type: 'boolean' },
        'api-key': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function fetchTypes(url: string, apiKey: string | undefined): Promise<string> {
  try {
    const bridge = createClient({ url, apiKey, retryMs: 3_000 }, nodePlatform);
    const entries = await bridge.workflows();
    return generateTypes(await mapLimited(entries, 4, ({ alias }) => bridge.workflow(alias)));
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'bad_url') throw new UsageError(error.message);
    throw error;
  }
}

/** With the line ends of this client, whatever a checkout made of them; empty when the file is not there. */
async function readText(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.replaceAll('\r\n', '\n');
}
