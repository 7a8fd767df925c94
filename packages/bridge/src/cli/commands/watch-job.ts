import { apiPath } from '../call-bridge.ts';
import type { Command } from '../command-spec.ts';
import { connectClients } from '../run/connect-client.ts';
import { watchInterrupts } from '../run/interrupts.ts';
import { createProgressLine } from '../run/progress-line.ts';
import { tellResults } from '../run/tell-results.ts';
import { waitForJob } from '../run/wait-for-job.ts';
import { readWaitOptions } from '../run/wait-options.ts';

/** `jobs watch <job>`: waits for a job of any API, and saves. Who stops waiting leaves the job alone. */
export const watchJob: Command = async (context) => {
  const { args, host, options, print } = context;
  const [id = ''] = args;
  const wait = await readWaitOptions(host, options);
  const caller = await context.bridge();
  const readJob = () => caller.send('GET', apiPath('jobs', id));
  await readJob();
  using progress = createProgressLine(host.stderr, { label: id.slice(0, 8), term: host.env['TERM'] });
  const { patient } = connectClients(caller.address, {
    onLost: () => progress.note('The line to the bridge is broken; it is tried again.'),
    onBack: () => progress.note('The bridge is back.'),
  });
  using interrupts = watchInterrupts();
  const { signal } = interrupts;
  const deps = { address: caller.address, client: patient, progress };
  const { outputs } = await waitForJob(deps, id, { signal, timeoutMs: wait.timeoutMs }).catch(
    async (error: unknown) => {
      if (print.isJson && !signal.aborted) print.result(await readJob().catch(() => undefined), () => '');
      throw error;
    },
  );
  progress[Symbol.dispose]();
  const retryHint = `jobs watch ${id}`;
  return await tellResults(context, { outputs, wait, signal, retryHint, readRaw: readJob });
};
