import type { Output } from '@comfy-bridge/client';

import { apiPath } from '../call-bridge.ts';
import type { BridgeCaller } from '../call-bridge.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { CommandContext, GivenOptions } from '../command-context.ts';
import type { Command } from '../command-spec.ts';
import { bindInputs, isBatch } from '../run/bind-inputs.ts';
import type { BoundInputs } from '../run/bind-inputs.ts';
import { connectClients, toCliError } from '../run/connect-client.ts';
import type { Clients } from '../run/connect-client.ts';
import { watchInterrupts } from '../run/interrupts.ts';
import { createProgressLine } from '../run/progress-line.ts';
import type { ProgressLine } from '../run/progress-line.ts';
import { tellResults } from '../run/tell-results.ts';
import { waitForBatch } from '../run/wait-for-batch.ts';
import { waitForJob } from '../run/wait-for-job.ts';
import { readWaitOptions } from '../run/wait-options.ts';
import type { WaitOptions } from '../run/wait-options.ts';
import { workflowSchema } from './workflows.ts';

interface RunDeps {
  context: CommandContext;
  caller: BridgeCaller;
  clients: Clients;
  progress: ProgressLine;
  signal: AbortSignal;
}

/** `run <workflow>`: hands in a job, or a batch of them, waits and saves. */
export const run: Command = async (context) => {
  const { args, host, options, bridge } = context;
  const [alias = ''] = args;
  const wait = await readWaitOptions(host, options);
  if (options.flag('no-wait') && (wait.target !== undefined || wait.timeoutMs !== undefined))
    throw usageError('--no-wait does not wait for results: fetch them with jobs watch <id> -o …');

  readPriority(options);
  const caller = await bridge();
  const { value: workflow } = await caller.read(workflowSchema, apiPath('workflows', alias));
  const inputs = await bindInputs(host, workflow, options);
  using progress = createProgressLine(host.stderr, { label: alias, term: host.env['TERM'] });
  const clients = connectClients(caller.address, {
    onLost: () => progress.note('The line to the bridge is broken; it is tried again, and the job goes on.'),
    onBack: () => progress.note('The bridge is back.'),
  });
  using interrupts = watchInterrupts();
  const deps = { context, caller, clients, progress, signal: interrupts.signal };
  if (!workflow.can_run && workflow.obstacles !== null)
    progress.note(`warning: it will have to wait: ${workflow.obstacles}`);
  // Awaited here: what was begun with `using` ends with this function.
  return isBatch(inputs)
    ? await runBatch(deps, alias, inputs, wait)
    : await runOne(deps, alias, inputs, wait);
};

async function runOne(deps: RunDeps, alias: string, inputs: BoundInputs, wait: WaitOptions): Promise<number> {
  const { context, caller, clients, progress, signal } = deps;
  const { print, options } = context;
  const { address } = caller;
  progress.show({ state: 'sending', isBrief: true });
  const { id } = await clients.eager
    .submit(alias, toSingle(inputs), submitOptions(deps))
    .catch((error: unknown) => {
      throw toCliError(address, error);
    });
  const readJob = () => caller.send('GET', apiPath('jobs', id));
  if (options.flag('no-wait')) {
    progress[Symbol.dispose]();
    print.result(print.isJson ? await readJob() : undefined, () => `${id}\n`);
    return exitCodes.ok;
  }
  let outputs: Output[];
  try {
    const wanted = { signal, timeoutMs: wait.timeoutMs };
    ({ outputs } = await waitForJob({ address, client: clients.patient, progress }, id, wanted));
  } catch (error) {
    if (signal.aborted) await cancelOnInterrupt(progress, () => clients.eager.job(id).cancel());
    else if (print.isJson) print.result(await readJob().catch(() => undefined), () => '');
    throw error;
  }
  progress[Symbol.dispose]();
  const retryHint = `jobs watch ${id}`;
  return await tellResults(context, { outputs, wait, signal, retryHint, readRaw: readJob });
}

async function runBatch(
  deps: RunDeps,
  alias: string,
  inputs: BoundInputs,
  wait: WaitOptions,
): Promise<number> {
  const { context, caller, clients, progress, signal } = deps;
  const { print, options } = context;
  const { address } = caller;
  progress.show({ state: 'sending', isBrief: true });
  const group = await clients.eager.submitAll(alias, inputs, submitOptions(deps)).catch((error: unknown) => {
    throw toCliError(address, error);
  });
  const readGroup = () => caller.send('GET', apiPath('groups', group.id));
  if (options.flag('no-wait')) {
    progress[Symbol.dispose]();
    const jobs = print.isJson ? [] : await group.jobs();
    print.result(print.isJson ? await readGroup() : undefined, () =>
      jobs.map(({ id }) => `${id}\n`).join(''),
    );
    return exitCodes.ok;
  }
  try {
    const wanted = { signal, timeoutMs: wait.timeoutMs };
    const results = await waitForBatch({ address, client: clients.patient, progress }, group.id, wanted);
    progress[Symbol.dispose]();
    const outputs = results.flatMap((result) => (result.ok ? result.outputs : []));
    const code = await tellResults(context, {
      ...{ outputs, wait, signal, readRaw: readGroup },
      retryHint: 'jobs watch <job>',
    });
    return results.every(({ ok }) => ok) ? code : exitCodes.failed;
  } catch (error) {
    if (signal.aborted) await cancelOnInterrupt(progress, () => group.cancel());
    throw error;
  }
}

function submitOptions({ context, signal }: RunDeps) {
  return { signal, priority: readPriority(context.options) };
}

function readPriority(options: GivenOptions): number | undefined {
  return options.number('priority', { min: 0, max: 7 });
}

/** Where there is no batch no value is a list. */
function toSingle(inputs: BoundInputs) {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null && 'each' in value ? [] : [[name, value] as const],
    ),
  );
}

async function cancelOnInterrupt(progress: ProgressLine, cancel: () => Promise<unknown>): Promise<void> {
  progress.note('Canceling … (Ctrl-C again to leave at once)');
  await cancel().catch(() => progress.note('The bridge cannot be reached: the job may go on.'));
}
