import type { Backend } from '../../backends/fleet.ts';
import type { Job } from '../../jobs/job.ts';
import type { Logger } from '../../logging.ts';
import type { Traces } from './run-traces.ts';
import { stagedValues } from './stage-inputs.ts';

/** Takes a prompt of an earlier process off its backend when that can be reached, and what it left there. Never rejects. */
export async function dropPrompt(
  { traces, log }: { traces: Traces; log: Logger },
  backend: Backend,
  run: Pick<Job, 'stagedInputs'> & { promptId: string },
): Promise<void> {
  const { promptId } = run;
  using left = traces.begin(backend);
  for (const input of stagedValues(run)) void left.claim(input);
  try {
    await backend.client.cancelPrompt(promptId);
  } catch (error) {
    log.warn(
      { backend: backend.name, promptId, err: error },
      'a prompt of an earlier run was not taken back',
    );
  }
  left.forget(promptId);
}
