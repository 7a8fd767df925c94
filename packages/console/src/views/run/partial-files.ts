import type { JobInputs } from '@comfy-bridge/protocol';

import type { Field } from './form/form-model.ts';

/** Whether a file that a job ran with is no longer kept. */
export function partialFiles(fields: readonly Field[], { files }: Pick<JobInputs, 'files'>): boolean {
  return fields.some(
    ({ kind, name }) => kind === 'file' && files[name] !== undefined && files[name].url === null,
  );
}
