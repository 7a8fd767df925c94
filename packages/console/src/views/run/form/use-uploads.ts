import { onScopeDispose } from 'vue';

import { CallError, callForBlob } from '../../../bridge/call.ts';
import { createFileUpload } from '../../../bridge/upload-file.ts';
import type { FileUpload } from '../../../bridge/upload-file.ts';
import type { FormValues } from './form-values.ts';

/** The files of a form: what is on its way, and how it looks. */
export interface Uploads {
  /** Sends a file in place of what the field had. */
  give(name: string, file: File): void;
  /** After a lost line: from where it was. */
  goOn(name: string): void;
  /** Stops an upload, or takes the file out of the field. */
  remove(name: string): void;
  /** The file itself: as it was given, or fetched from the bridge. Undefined: it is gone there. */
  read(name: string): Promise<Blob | undefined>;
}

interface Own {
  file: File;
  upload: FileUpload;
  running: AbortController | undefined;
}

export function useUploads(form: FormValues, { maxBytes }: { maxBytes: () => number }): Uploads {
  const owned = new Map<string, Own>();

  async function run(name: string, own: Own): Promise<void> {
    const { file, upload } = own;
    const about = { name: file.name || 'file', size: file.size, contentType: file.type };
    const running = (own.running = new AbortController());
    const isOld = () => owned.get(name) !== own || running.signal.aborted;
    form.files[name] = { kind: 'uploading', ...about, share: 0 };
    try {
      const asset = await upload.run({
        signal: running.signal,
        onProgress(share) {
          const file = form.files[name];
          if (!isOld() && file?.kind === 'uploading') file.share = share;
        },
      });
      if (isOld()) return;
      form.files[name] = { ...about, kind: 'ready', ref: asset.id, contentType: asset.content_type };
    } catch (error) {
      if (isOld()) return;
      const isLost = !(error instanceof CallError) || error.status === 0 || error.status >= 500;
      const message = error instanceof CallError ? error.message : '';
      form.files[name] = { kind: 'failed', ...about, message, canGoOn: isLost || error.status === 429 };
    }
  }

  function forget(name: string): void {
    const own = owned.get(name);
    owned.delete(name);
    own?.running?.abort();
  }

  onScopeDispose(() => {
    for (const name of owned.keys()) forget(name);
  });

  return {
    give(name, file) {
      forget(name);
      const own: Own = {
        file,
        upload: createFileUpload(file, { maxBytes: maxBytes() }),
        running: undefined,
      };
      owned.set(name, own);
      void run(name, own);
    },
    goOn(name) {
      const own = owned.get(name);
      if (own !== undefined) void run(name, own);
    },
    remove(name) {
      forget(name);
      delete form.files[name];
    },
    async read(name) {
      const own = owned.get(name);
      if (own !== undefined) return own.file;
      const state = form.files[name];
      return state?.kind === 'ready' ? await readAsset(state.ref) : undefined;
    },
  };
}

/** `ref`: an asset's id, or the saved name of an upload, which is one with an ending. */
async function readAsset(ref: string): Promise<Blob | undefined> {
  const [id = ''] = ref.split('.');
  try {
    return await callForBlob(`api/v2/assets/${id}/content`);
  } catch (error) {
    if (error instanceof CallError && error.status === 404) return undefined;
    throw error;
  }
}
