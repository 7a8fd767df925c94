import type { BridgeJob, JobInputs } from '@comfy-bridge/protocol';
import { onScopeDispose, shallowRef, watch } from 'vue';
import type { ShallowRef } from 'vue';

import { CallError, call, callForBlob } from '../../../bridge/call.ts';

/**
 * The picture that went into a job, as an object URL, for comparing: once there is a result, and while the bridge still keeps
 * it. `input`: the name of the input that took it; undefined where there is none.
 */
export function useBefore(
  job: () => Pick<BridgeJob, 'id' | 'status'>,
  input: string | undefined,
): Readonly<ShallowRef<string | undefined>> {
  const url = shallowRef<string>();
  const stopped = new AbortController();
  if (input === undefined) return url;

  watch(
    () => job().status === 'succeeded',
    async (isDone) => {
      if (!isDone || url.value !== undefined) return;
      try {
        const { signal } = stopped;
        const inputs = await call<JobInputs>(`api/bridge/jobs/${job().id}/inputs`, { signal });
        const from = inputs.files[input]?.url;
        if (from === undefined || from === null) return;
        const blob = await callForBlob(from, { signal });
        if (!signal.aborted) url.value = URL.createObjectURL(blob);
      } catch (error) {
        // Without it there is a result all the same, only nothing to compare it with.
        if (!(error instanceof CallError) && !stopped.signal.aborted) throw error;
      }
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    stopped.abort();
    if (url.value !== undefined) URL.revokeObjectURL(url.value);
  });
  return url;
}
