import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import type { Ref, ShallowRef } from 'vue';

export interface FilePreview {
  /** An object URL, as long as it is shown. */
  readonly url: Readonly<ShallowRef<string | undefined>>;
  /** The bridge has it no more. */
  readonly isGone: Readonly<Ref<boolean>>;
}

/** Shows a file: `key` is another one for another file, undefined where there is none. */
export function useFilePreview(
  key: () => string | undefined,
  read: () => Promise<Blob | undefined>,
): FilePreview {
  const url = shallowRef<string>();
  const isGone = ref(false);

  function drop(): void {
    if (url.value !== undefined) URL.revokeObjectURL(url.value);
    url.value = undefined;
  }

  watch(
    key,
    async (wanted) => {
      drop();
      isGone.value = false;
      if (wanted === undefined) return;
      try {
        const blob = await read();
        if (key() !== wanted) return;
        if (blob === undefined) isGone.value = true;
        else url.value = URL.createObjectURL(blob);
      } catch {
        // The line is cut: the name and the size are shown.
      }
    },
    { immediate: true },
  );
  onScopeDispose(drop);
  return { url, isGone };
}
