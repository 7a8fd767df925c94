import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import { CliError, exitCodes } from '../cli-error.ts';
import type { CliHost } from '../cli-host.ts';
import type { Command } from '../command-spec.ts';
import type { Printer } from '../print.ts';
import { toPlainText } from '../display-width.ts';
import { formatBytes, formatTime } from '../format-values.ts';
import { renderTable } from '../render-table.ts';

const publishedSchema = z.object({
  alias: z.string(),
  version: z.string(),
  problems: z.array(z.string()),
  can_run: z.boolean(),
  obstacles: z.string().nullable(),
  inputs: z.array(z.object({ name: z.string() })),
});

const versionsSchema = z.object({
  versions: z.array(
    z.object({
      version: z.string(),
      is_current: z.boolean(),
      published_at: z.string(),
      source: z.string(),
      bytes: z.number(),
      description: z.string(),
    }),
  ),
});

export const publishWorkflow: Command = async ({ args, options, host, bridge, print }) => {
  const [alias = '', file = ''] = args;
  const workflow = (await readGiven(host, file)).toString('utf8').replace(/^\uFEFF/, '');
  try {
    JSON.parse(workflow);
  } catch (cause) {
    throw new CliError(exitCodes.failed, `${file} is not JSON: export the workflow in API format`, { cause });
  }
  const description = options.text('description');
  const thumbnail = options.text('thumbnail');
  const picture = thumbnail === undefined ? undefined : await readGiven(host, thumbnail);
  // As it is written: 7.0 and 7 differ to ComfyUI, and seeds are wider than numbers here.
  const parts = [
    `"workflow":${workflow}`,
    ...(description === undefined ? [] : [`"description":${JSON.stringify(description)}`]),
    ...(picture === undefined ? [] : [`"thumbnail":"${picture.toString('base64')}"`]),
    ...(options.flag('new') ? ['"previous":null'] : []),
  ];
  const caller = await bridge();
  const answer = await caller.send('PUT', apiPath('workflows', alias), { body: `{${parts.join(',')}}` });
  return tellPublished(print, answer);
};

export const restoreWorkflow: Command = async ({ args, bridge, print }) => {
  const [alias = '', version = ''] = args;
  const caller = await bridge();
  const path = apiPath('workflows', alias, 'versions', version, 'restore');
  return tellPublished(print, await caller.send('POST', path));
};

function tellPublished(print: Printer, answer: unknown): number {
  const { alias, version, problems, can_run, obstacles, inputs } = publishedSchema.parse(answer);
  for (const problem of problems) print.note(`warning: ${toPlainText(problem)}`);
  if (!can_run) print.note(`warning: ${toPlainText(obstacles ?? 'no ComfyUI can run it')}`);
  print.result(
    answer,
    () => `${toPlainText(alias)} is published, version ${version}, with ${inputs.length} inputs\n`,
  );
  return exitCodes.ok;
}

export const listVersions: Command = async ({ args, bridge, print }) => {
  const path = apiPath('workflows', args[0] ?? '', 'versions');
  const { raw, value } = await (await bridge()).read(versionsSchema, path);
  print.result(raw, () =>
    renderTable(
      ['VERSION', 'PUBLISHED', 'FROM', 'SIZE', 'DESCRIPTION'],
      value.versions.map(({ version, is_current, published_at, source, bytes, description }) => [
        is_current ? `${version} *` : version,
        formatTime(published_at),
        source,
        formatBytes(bytes),
        description,
      ]),
    ),
  );
  return exitCodes.ok;
};

export const printWorkflowFile: Command = async ({ args, bridge, print }) => {
  const text = await (await bridge()).text(apiPath('workflows', args[0] ?? '', 'file'));
  print.text(text.endsWith('\n') ? text : `${text}\n`);
  return exitCodes.ok;
};

export const removeWorkflow: Command = async ({ args, bridge, print }) => {
  const [alias = ''] = args;
  await (await bridge()).send('DELETE', apiPath('workflows', alias));
  print.result({ alias, removed: true }, () => `${toPlainText(alias)} is removed\n`);
  print.note(`Its versions are kept: comfy-bridge workflows versions ${toPlainText(alias)}`);
  return exitCodes.ok;
};

/** A file of this machine, or standard input. */
async function readGiven({ filesFrom, stdin }: CliHost, file: string): Promise<Buffer> {
  if (file === '-') return buffer(stdin);
  return readFile(resolve(filesFrom, file)).catch((cause: unknown) => {
    throw new CliError(exitCodes.failed, `${file} cannot be read`, { cause });
  });
}
