import type { ApiPrompt } from '@comfy-bridge/protocol';

import { BridgeError } from '../../errors.ts';
import type { Job, StagedInput } from '../../jobs/job.ts';
import type { AcceptOptions, JobIntake } from './job-intake.ts';
import type { ResolveAsset } from './resolve-asset.ts';

export interface RetryJobDeps {
  intake: JobIntake;
  /** Marks an upload as used now; false when there is no such file (any more), or not for this account. */
  touchUpload(key: `uploads/${string}`, account: string): Promise<boolean>;
  resolveAsset: ResolveAsset;
  isSample(fileName: string): boolean;
}

/** Who runs it again: the new job is theirs. */
export type RetryCaller = Pick<Job, 'account' | 'owner' | 'priority'> & { account: string };

/**
 * Runs a job once more, with the same prompt and the same files: a new job. Throws `conflict`, saying which file is gone, and as
 * the intake does.
 */
export type RetryJob = (job: Job, caller: RetryCaller, options?: AcceptOptions) => Promise<Job>;

export function createRetryJob(deps: RetryJobDeps): RetryJob {
  const { intake } = deps;

  /** Where the file lies now: an asset may have got another place. Undefined when it is gone. */
  async function find(
    source: StagedInput['source'],
    account: string,
  ): Promise<StagedInput['source'] | undefined> {
    if (source.kind === 'sample') return deps.isSample(source.fileName) ? source : undefined;
    const { savedName, assetId } = source;
    if (await deps.touchUpload(`uploads/${savedName}`, account)) return source;
    const asset = assetId === undefined ? undefined : await deps.resolveAsset(assetId, account);
    return asset === undefined ? undefined : { ...source, savedName: asset.savedName };
  }

  return async (job, { account, owner, priority }, options) => {
    intake.checkOpen();
    if (job.hasCredentials)
      throw new BridgeError('conflict', 'this job came with a key, which is not kept: submit it anew');
    const prompt = structuredClone(job.prompt);
    const stagedInputs: StagedInput[] = [];
    for (const staged of job.stagedInputs) {
      const source = await find(staged.source, account);
      if (source === undefined)
        throw new BridgeError(
          'conflict',
          `the file of ${staged.nodeId}/${staged.inputName} is gone: upload it again, and submit the job anew`,
        );
      stagedInputs.push({ ...staged, source });
      rename(prompt, staged, source);
    }
    const { workflow, previews, outputNodes } = job;
    const [made] = await intake.accept(
      [
        {
          ...{ account, owner, priority, previews, workflow, prompt, stagedInputs, outputNodes },
          ...{ clientId: null, leaseMs: null, hasCredentials: false },
        },
      ],
      options,
    );
    if (made === undefined) throw new Error('an accepted request is a job');
    return made;
  };
}

/** The graph names the file by where it lies here; what it is called on a machine is known when it is there. */
function rename(prompt: ApiPrompt, staged: StagedInput, source: StagedInput['source']): void {
  const node = prompt[staged.nodeId];
  if (node === undefined || source.kind !== 'upload' || staged.source.kind !== 'upload') return;
  if (node.inputs[staged.inputName] === staged.source.savedName)
    node.inputs[staged.inputName] = source.savedName;
}
