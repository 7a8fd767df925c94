import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import { exitCodes } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';
import { renderFields, renderTable } from '../render-table.ts';
import { toPlainText } from '../display-width.ts';

const listSchema = z.object({
  workflows: z.array(
    z.object({ alias: z.string(), description: z.string(), inputs: z.number(), can_run: z.boolean() }),
  ),
});

/** What the command line reads of a workflow. */
export const workflowSchema = z.object({
  alias: z.string(),
  title: z.string(),
  description: z.string(),
  can_run: z.boolean(),
  obstacles: z.string().nullable(),
  inputs: z.array(
    z.object({
      name: z.string(),
      key: z.string(),
      label: z.string().nullable(),
      description: z.string().nullable(),
      type: z.string(),
      media: z.string().nullable(),
      required: z.boolean(),
      default: z.unknown(),
    }),
  ),
  outputs: z.array(z.object({ node_id: z.string(), title: z.string(), types: z.array(z.string()) })),
  input_schema: z.record(z.string(), z.unknown()),
});
export type ShownWorkflow = z.infer<typeof workflowSchema>;
export type ShownInput = ShownWorkflow['inputs'][number];

export const listWorkflows: Command = async ({ bridge, print }) => {
  const { raw, value } = await (await bridge()).read(listSchema, apiPath('workflows'));
  print.result(raw, () =>
    renderTable(
      ['NAME', 'RUNS', 'INPUTS', 'DESCRIPTION'],
      value.workflows.map(({ alias, can_run, inputs, description }) => [
        alias,
        can_run ? 'yes' : 'no',
        inputs,
        description,
      ]),
    ),
  );
  return exitCodes.ok;
};

export const showWorkflow: Command = async ({ args, bridge, print }) => {
  const { raw, value } = await (await bridge()).read(workflowSchema, apiPath('workflows', args[0] ?? ''));
  print.result(raw, () => describeWorkflow(value));
  return exitCodes.ok;
};

function describeWorkflow(workflow: ShownWorkflow): string {
  const { alias, description, can_run, obstacles, inputs, outputs } = workflow;
  const makes = outputs.map(({ title, types }) => `${types.join(' or ') || 'anything'} (${title})`);
  const fields = renderFields({
    name: alias,
    description,
    runs: can_run ? 'yes' : `no: ${obstacles ?? 'nobody knows why'}`,
    makes: makes.join(', ') || 'nothing',
  });
  if (inputs.length === 0) return `${fields}inputs       none\n`;
  const rows = inputs.map((input) => [
    input.name,
    input.label ?? '',
    input.media ?? input.type,
    input.required ? 'required' : show(input.default),
    input.description ?? '',
  ]);
  return `${fields}\n${renderTable(['INPUT', 'LABEL', 'TYPE', 'DEFAULT', 'DESCRIPTION'], rows)}\n${example(workflow)}`;
}

const mostShown = 40;

function show(value: unknown): string {
  const text =
    typeof value === 'string' ? value : typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
  const plain = toPlainText(text ?? '');
  return plain.length > mostShown ? `${plain.slice(0, mostShown - 1)}…` : plain;
}

/** How to run it, to copy. */
function example({ alias, inputs }: ShownWorkflow): string {
  const given = inputs.slice(0, 2).map((input) => {
    const name = /^[\w-]+$/.test(input.name) ? input.name : `'${input.name.replaceAll("'", `'\\''`)}'`;
    if (input.media !== null) return `--${input.media} ${name}=file`;
    return `--input ${name}=…`;
  });
  const shown = /^[\w.-]+$/.test(alias) ? alias : `'${alias.replaceAll("'", `'\\''`)}'`;
  return `${['comfy-bridge run', shown, ...given, '-o results/'].join(' ')}\n`;
}
