import { z } from 'zod';

import { apiPath, createCaller } from '../call-bridge.ts';
import type { BridgeCaller } from '../call-bridge.ts';
import type { CliHost } from '../cli-host.ts';
import { workflowSchema } from '../commands/workflows.ts';
import { findBridge } from '../find-bridge.ts';
import { formatTime } from '../format-values.ts';
import type { Candidate, Position } from './find-position.ts';

/** Somebody waits with a finger on the key. Ms; `COMFY_BRIDGE_COMPLETION_MS` is for who sits far away. */
const defaultTimeoutMs = 800;

const workflowsSchema = z.object({
  workflows: z.array(z.object({ alias: z.string(), description: z.string() })),
});
const jobsSchema = z.object({
  jobs: z.array(
    z.object({ id: z.string(), status: z.string(), workflow: z.string(), created_at: z.string() }),
  ),
});
const backendsSchema = z.array(z.object({ name: z.string(), status: z.string() }));

/** Names that the bridge knows, for the place that is being typed. Rejects when it does not answer in time. */
export async function offerNames(host: CliHost, position: Position): Promise<Candidate[]> {
  const { kind, option, given, url, keyFile } = position;
  const takesInputs = kind === 'input' || (option?.value?.startsWith('[name=]') === true && given.length > 0);
  if (!takesInputs && kind !== 'workflow' && kind !== 'job' && kind !== 'backend') return [];
  const timeoutMs = Number(host.env['COMFY_BRIDGE_COMPLETION_MS']) || defaultTimeoutMs;
  const caller = createCaller(await findBridge(host, { url, keyFile }));
  if (takesInputs) return offerInputs(caller, position, timeoutMs);
  if (kind === 'workflow') {
    const { value } = await caller.read(workflowsSchema, apiPath('workflows'), { timeoutMs });
    return value.workflows.map(({ alias, description }) => ({ value: alias, description }));
  }
  if (kind === 'job') {
    const { value } = await caller.read(jobsSchema, apiPath('jobs'), { timeoutMs, query: { limit: 30 } });
    return value.jobs.map(({ id, status, workflow, created_at }) => ({
      value: id,
      description: `${status} ${workflow} ${formatTime(created_at) ?? ''}`,
    }));
  }
  const { value } = await caller.read(backendsSchema, apiPath('backends'), { timeoutMs });
  return value.map(({ name, status }) => ({ value: name, description: status }));
}

/** `name=` for each input of the workflow that the option is for. */
async function offerInputs(
  caller: BridgeCaller,
  { given, option, current }: Position,
  timeoutMs: number,
): Promise<Candidate[]> {
  const [alias] = given;
  // Behind the name a value follows, which nobody else knows.
  if (alias === undefined || current.replace(`${option?.long ?? ''}=`, '').includes('=')) return [];
  const { value } = await caller.read(workflowSchema, apiPath('workflows', alias), { timeoutMs });
  const media = option?.long.slice(2);
  return value.inputs
    .filter((input) => {
      if (option?.kind === 'input') return true;
      return input.media !== null && (media === 'file' || media === input.media);
    })
    .map(({ name, type, media, description }) => ({
      value: `${name}=`,
      description: [media ?? type, description ?? ''].filter((part) => part !== '').join(', '),
    }));
}
