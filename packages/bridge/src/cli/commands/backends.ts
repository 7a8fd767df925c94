import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import { CliError, exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext, GivenOptions } from '../command-context.ts';
import type { CliHost } from '../cli-host.ts';
import type { Command } from '../command-spec.ts';
import { toPlainText } from '../display-width.ts';
import { formatBytes } from '../format-values.ts';
import { renderTable } from '../render-table.ts';

/** What the command line reads of a backend. */
export const backendSchema = z.object({
  name: z.string(),
  status: z.string(),
  trust: z.string(),
  reason: z.string().nullable(),
  version: z.string().nullable(),
  node_classes: z.number().nullable(),
  offer_problem: z.string().nullable(),
  queue_remaining: z.number(),
  foreign_prompts: z.number(),
  memory: z.object({ total_bytes: z.number().nullable(), usable_bytes: z.number().nullable() }),
  lending: z.object({ state: z.string(), until: z.string().nullable() }).nullable(),
  jobs: z.array(z.object({ id: z.string(), workflow: z.string() })),
  address: z.string().optional(),
});
export type ShownBackend = z.infer<typeof backendSchema>;
export const backendListSchema = z.array(backendSchema);

export const listBackends: Command = async ({ bridge, print }) => {
  const { raw, value } = await (await bridge()).read(backendListSchema, apiPath('backends'));
  print.result(raw, () =>
    renderTable(['NAME', 'STATUS', 'JOBS', 'QUEUE', 'MEMORY', 'COMFYUI', 'ADDRESS', ''], value.map(toRow)),
  );
  return exitCodes.ok;
};

function toRow(backend: ShownBackend): (string | number | null)[] {
  const { total_bytes, usable_bytes } = backend.memory;
  const memory =
    total_bytes === null || usable_bytes === null
      ? null
      : `${formatBytes(usable_bytes)} of ${formatBytes(total_bytes)}`;
  const { name, status, jobs, queue_remaining, version, address } = backend;
  return [name, status, jobs.length, queue_remaining, memory, version, address ?? null, remarkOn(backend)];
}

function remarkOn({ reason, offer_problem, trust, lending }: ShownBackend): string {
  return [
    reason,
    offer_problem,
    trust === 'closed' ? null : 'failed too often and is given a rest',
    lending === null ? null : 'lent',
  ]
    .filter((remark) => remark !== null)
    .join('; ');
}

export const addBackend: Command = async ({ args, options, host, bridge, print }) => {
  const body = JSON.stringify({
    url: args[0],
    name: options.text('name'),
    token: await readToken(host, options.text('token-file')),
    pin: options.text('pin'),
    tags: options
      .text('tags')
      ?.split(',')
      .map((tag) => tag.trim()),
    weight: readWeight(options),
  });
  const answer = await (await bridge()).send('POST', apiPath('backends'), { body });
  const { name, status } = backendSchema.parse(answer);
  print.result(answer, () => `${toPlainText(name)} is in the fleet (${status})\n`);
  return exitCodes.ok;
};

function readWeight(options: GivenOptions): number | undefined {
  const weight = options.text('weight');
  if (weight === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(weight)) throw usageError('--weight is a number such as 2 or 0.5');
  return Number(weight);
}

async function readToken({ filesFrom }: CliHost, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(resolve(filesFrom, file), 'utf8').catch((cause: unknown) => {
    throw new CliError(exitCodes.failed, `the token file ${file} cannot be read`, { cause });
  });
  return text.trim();
}

const done: Readonly<Record<string, string>> = {
  drain: 'gets no new jobs',
  pause: 'is paused',
  resume: 'gets jobs again',
  free: 'was asked to unload its models',
  remove: 'leaves the fleet',
};

/** `backends drain`, `pause`, `resume`, `free` and `remove`. */
export async function changeBackend(
  action: string,
  { args, options, bridge, print }: CommandContext,
): Promise<number> {
  const [name = ''] = args;
  const caller = await bridge();
  const answer =
    action === 'remove'
      ? await caller.send('DELETE', apiPath('backends', name), {
          query: { now: options.flag('now') ? 'true' : undefined },
        })
      : await caller.send('POST', apiPath('backends', name, action));
  const left = z.object({ returns_at_next_start: z.boolean().optional() }).parse(answer);
  print.result(answer, () => `${toPlainText(name)} ${done[action] ?? action}\n`);
  if (left.returns_at_next_start === true)
    print.note('The settings name it: it is back at the next start, unless it is taken out there too.');
  return exitCodes.ok;
}
