import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';

import type { InputValue } from '@comfy-bridge/client';

import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';
import type { GivenOptions } from '../command-context.ts';
import type { ShownInput, ShownWorkflow } from '../commands/workflows.ts';
import { pickSeeds } from './pick-seeds.ts';

/** A list stands for one job for each of its values. */
export type BoundInputs = Record<string, InputValue | { each: readonly InputValue[] }>;

export const mediaKinds = ['image', 'video', 'audio', 'mask'] as const;

/** What the options say of the inputs of a workflow, by their names. Values are as the workflow types them. Throws a `CliError`. */
export async function bindInputs(
  host: CliHost,
  workflow: ShownWorkflow,
  options: GivenOptions,
): Promise<BoundInputs> {
  const bound: BoundInputs = {};
  const read = createReader(host);

  function set(input: ShownInput, value: BoundInputs[string]): void {
    if (Object.hasOwn(bound, input.name))
      throw usageError(`${input.name} is given twice; --sweep ${input.name}=a,b makes a job for each`);
    bound[input.name] = value;
  }

  for (const given of options.list('input')) {
    const [name, text] = splitGiven(given, '--input');
    const input = findInput(workflow, name);
    set(input, await toValue(read, input, text));
  }
  for (const kind of [...mediaKinds, 'file'] as const) {
    for (const given of options.list(kind)) {
      const { input, path } = findFileInput(workflow, kind, given);
      set(input, await read.file(path));
    }
  }
  for (const given of options.list('sweep')) {
    const [name, text] = splitGiven(given, '--sweep');
    const input = findInput(workflow, name);
    set(input, { each: text.split(',').map((value) => toTyped(input, value.trim())) });
  }
  for (const [input, value] of pickSeeds(workflow, options)) set(input, value);
  return bound;
}

/** Whether they stand for more than one job. */
export function isBatch(inputs: BoundInputs): boolean {
  return Object.values(inputs).some(
    (value) => typeof value === 'object' && value !== null && 'each' in value,
  );
}

function splitGiven(given: string, option: string): [name: string, text: string] {
  const at = given.indexOf('=');
  if (at < 1) throw usageError(`${option} takes name=value, and not ${JSON.stringify(given)}`);
  return [given.slice(0, at), given.slice(at + 1)];
}

/** By name, key or label, as the bridge does. */
function findInput(workflow: ShownWorkflow, name: string): ShownInput {
  const { inputs, alias } = workflow;
  const found =
    inputs.find((input) => input.name === name || input.key === name) ??
    inputs.find(({ label }) => label?.normalize() === name.normalize());
  if (found !== undefined) return found;
  const known = inputs.map((input) => input.name).join(', ') || 'none';
  throw usageError(`${alias} has no input ${JSON.stringify(name)}; it has: ${known}`);
}

/** `name=path`, or a path alone where only one input takes such a file. */
function findFileInput(
  workflow: ShownWorkflow,
  kind: (typeof mediaKinds)[number] | 'file',
  given: string,
): { input: ShownInput; path: string } {
  const fits = workflow.inputs.filter(({ media }) => media !== null && (kind === 'file' || media === kind));
  const at = given.indexOf('=');
  const name = given.slice(0, Math.max(0, at));
  const isName = ({ name: own, key, label }: ShownInput) => [own, key, label].includes(name);
  if (at > 0 && (workflow.inputs.some(isName) || fits.length !== 1)) {
    const input = findInput(workflow, name);
    if (!fits.includes(input))
      throw usageError(
        `${input.name} takes ${input.media ?? `a value (${input.type})`}, so --${input.media ?? 'input'} is for it`,
      );
    return { input, path: given.slice(at + 1) };
  }
  const [only] = fits;
  if (only !== undefined && fits.length === 1) return { input: only, path: given };
  const names = fits.map((input) => input.name).join(', ') || 'none';
  throw usageError(
    `say which input ${JSON.stringify(given)} is for, as --${kind} name=path; of ${workflow.alias}: ${names}`,
  );
}

interface Reader {
  file(path: string): Promise<InputValue>;
  text(path: string): Promise<string>;
}

function createReader({ filesFrom, stdin }: CliHost): Reader {
  let isTaken = false;
  async function readStdin(): Promise<Buffer<ArrayBuffer>> {
    if (isTaken) throw usageError('standard input can be read once: name a file for the others');
    isTaken = true;
    return Buffer.from(await buffer(stdin));
  }
  const plain = (path: string) => (path.startsWith('@') ? path.slice(1) : path);
  return {
    async file(path) {
      if (plain(path) === '-') return new Blob([await readStdin()]);
      if (plain(path) === '') throw usageError('a file needs its path: name=path');
      return { path: resolve(filesFrom, plain(path)) };
    },
    async text(path) {
      if (path === '-') return (await readStdin()).toString('utf8');
      return readFile(resolve(filesFrom, path), 'utf8').catch((cause: unknown) => {
        throw new CliError(exitCodes.failed, `${path} cannot be read`, { cause });
      });
    },
  };
}

async function toValue(read: Reader, input: ShownInput, text: string): Promise<InputValue> {
  if (text.startsWith('@@')) return toTyped(input, text.slice(1));
  if (!text.startsWith('@')) return toTyped(input, text);
  if (input.media !== null) return read.file(text.slice(1));
  // Editors end a file with a line end that nobody means.
  const content = (await read.text(text.slice(1))).replace(/\r?\n$/, '');
  return toTyped(input, content);
}

/** What is not of the input's type goes as it is: the bridge says best what is wrong with it. */
export function toTyped(input: ShownInput, text: string): string | number | bigint | boolean {
  switch (input.type) {
    case 'int':
      if (!/^-?\d+$/.test(text)) return text;
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case 'float':
      return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
    case 'bool':
      if (/^(true|on|yes|1)$/i.test(text)) return true;
      return /^(false|off|no|0)$/i.test(text) ? false : text;
    default:
      return text;
  }
}
