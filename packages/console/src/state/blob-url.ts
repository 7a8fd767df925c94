import { onScopeDispose, shallowRef, toValue, watch } from 'vue';
import type { MaybeRefOrGetter, ShallowRef } from 'vue';

import { callForBlob } from '../bridge/call.ts';

/**
 * A file that only this caller may have, as a URL for a picture: `<img>` sends no key. Undefined while it comes, null when it
 * cannot be had. Let go of with the view that uses it.
 */
export function useBlobUrl(
  path: MaybeRefOrGetter<string | null | undefined>,
): Readonly<ShallowRef<string | null | undefined>> {
  const url = shallowRef<string | null>();
  let running: AbortController | undefined;

  function drop(): void {
    running?.abort();
    if (typeof url.value === 'string') URL.revokeObjectURL(url.value);
    url.value = undefined;
  }

  async function load(wanted: string): Promise<void> {
    const own = (running = new AbortController());
    try {
      const blob = await callForBlob(wanted, { signal: own.signal });
      if (!own.signal.aborted) url.value = URL.createObjectURL(blob);
    } catch {
      if (!own.signal.aborted) url.value = null;
    }
  }

  watch(
    () => toValue(path),
    (wanted) => {
      drop();
      if (wanted === undefined || wanted === null) url.value = null;
      else void load(wanted);
    },
    { immediate: true },
  );
  onScopeDispose(drop);
  return url;
}
