import { parseArgs } from 'node:util';
import type { SimOptions } from './sim-options.ts';

export const USAGE = `Usage: comfy-sim [options]

Runs simulated ComfyUI servers: the real protocol, simulated pictures, no GPU.

  --port <n>            first port; the others follow. 0 takes free ones (default 8188)
  --count <n>           how many servers (default 1)
  --host <address>      where to listen (default 127.0.0.1)
  --step-ms <n>         how long one sampling step takes (default 60)
  --run-ms <n>          how long each prompt takes in all; 0 is as fast as possible
  --model-load-ms <n>   what loading a model costs that is not in memory (default 0)
  --models <a,b>        the checkpoints on offer
  --previews            send previews while sampling
  --front-end-root <d>  folder of a built ComfyUI editor (holds index.html), served to browsers
  --extension <n>=<d>   an extension of that editor: a pack's name and its web folder; may be repeated
  --json                print one line {"urls":[...]} when all listen
  --exit-with-parent    stop when standard input closes
  --help                this text`;

export interface CliOptions {
  port: number;
  count: number;
  json: boolean;
  exitWithParent: boolean;
  sim: SimOptions;
}

export type ParsedCli =
  | { kind: 'run'; options: CliOptions }
  | { kind: 'help' }
  | { kind: 'error'; message: string };

const FLAGS = {
  port: { type: 'string' },
  count: { type: 'string' },
  host: { type: 'string' },
  'step-ms': { type: 'string' },
  'run-ms': { type: 'string' },
  'model-load-ms': { type: 'string' },
  models: { type: 'string' },
  previews: { type: 'boolean' },
  'front-end-root': { type: 'string' },
  extension: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  'exit-with-parent': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function parseCliOptions(args: string[]): ParsedCli {
  try {
    const { values } = parseArgs({ args, options: FLAGS, allowPositionals: false });
    if (values.help) return { kind: 'help' };
    const number = (name: 'port' | 'count' | 'step-ms' | 'run-ms' | 'model-load-ms', max: number, min = 0) =>
      wholeNumber(name, values[name], min, max);
    const day = 24 * 60 * 60 * 1000;
    const count = number('count', 256, 1) ?? 1;
    const stepMs = number('step-ms', day);
    const runMs = number('run-ms', day);
    const modelLoadMs = number('model-load-ms', day);
    const frontEndRoot = values['front-end-root'];
    const checkpoints = values.models?.split(',').filter((name) => name !== '');
    return {
      kind: 'run',
      options: {
        port: number('port', 65536 - count) ?? 8188,
        count,
        json: values.json ?? false,
        exitWithParent: values['exit-with-parent'] ?? false,
        sim: {
          ...(values.host === undefined ? {} : { host: values.host }),
          ...(stepMs === undefined ? {} : { stepMs }),
          ...(runMs === undefined ? {} : { runMs }),
          ...(modelLoadMs === undefined ? {} : { modelLoadMs }),
          ...(checkpoints ? { models: { checkpoints } } : {}),
          ...(frontEndRoot === undefined ? {} : { frontEndRoot }),
          ...(values.extension ? { extensions: namedFolders(values.extension) } : {}),
          previews: values.previews ?? false,
        },
      },
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'error', message: `${message.split('\n')[0]?.split('. To specify')[0]} (see --help)` };
  }
}

function namedFolders(given: string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1 || at === text.length - 1)
        throw new Error(`--extension must be <name>=<folder>, not '${text}'`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function wholeNumber(name: string, value: string | undefined, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, not '${value}'`);
}
