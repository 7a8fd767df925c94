import type { MediaFormat } from '@comfy-bridge/protocol';

import { isRecord } from '../marks/is-record.ts';
import type { ComfyApi } from './comfy-types.ts';
import { button, el } from './elements.ts';
import type { Session } from './session.ts';

export type UploadAnswer =
  /** `name`: as a loader names it, with its folder. */
  | { kind: 'saved'; name: string }
  | { kind: 'wrong-type' }
  | { kind: 'too-large'; maxMb: number | undefined }
  | { kind: 'timed-out' }
  | { kind: 'failed' };

const deadlineMs = 600_000;
const megabyte = 1024 * 1024;

/** Sends a file to the inputs of the editor's ComfyUI, which takes every kind by the same route. Never throws. */
export async function uploadFile(api: ComfyApi, file: File, format: MediaFormat): Promise<UploadAnswer> {
  // A browser that does not know the ending says no type; then ComfyUI's loader decides.
  if (file.type !== '' && !file.type.startsWith(`${kindOf(format)}/`)) return { kind: 'wrong-type' };
  const most = api.getServerFeature?.('max_upload_size');
  const maxMb = typeof most === 'number' ? Math.floor(most / megabyte) : undefined;
  if (typeof most === 'number' && file.size > most) return { kind: 'too-large', maxMb };
  const body = new FormData();
  body.append('image', file);
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const response = await api.fetchApi('/upload/image', { method: 'POST', body, signal });
    if (response.status === 413) return { kind: 'too-large', maxMb };
    const saved: unknown = await response.json();
    if (!response.ok || !isRecord(saved) || typeof saved['name'] !== 'string' || saved['name'] === '')
      return { kind: 'failed' };
    const { name, subfolder } = saved;
    return {
      kind: 'saved',
      name: typeof subfolder === 'string' && subfolder !== '' ? `${subfolder}/${name}` : name,
    };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    return { kind: isLate ? 'timed-out' : 'failed' };
  }
}

function kindOf(format: MediaFormat): string {
  return format === 'mask' ? 'image' : format;
}

/** A button that lets the author choose a file and uploads it, and says beside it how that goes. */
export function uploadButton(
  session: Session,
  format: MediaFormat,
  onSaved: (name: string) => void,
): HTMLElement {
  const t = session.texts();
  const file = el('input', { type: 'file', hidden: true, accept: `${kindOf(format)}/*` });
  const said = el('span', { class: 'cb-hint', role: 'status', 'aria-live': 'polite' });
  let isBusy = false;
  const send = async (): Promise<void> => {
    const [chosen] = file.files ?? [];
    if (chosen === undefined || isBusy) return;
    isBusy = true;
    said.className = 'cb-hint';
    said.textContent = t.uploading(chosen.name);
    const answer = await uploadFile(session.api, chosen, format);
    isBusy = false;
    // The same file can be chosen again after it failed.
    file.value = '';
    if (answer.kind === 'saved') {
      said.textContent = t.uploaded(answer.name);
      onSaved(answer.name);
      return;
    }
    said.className = 'cb-bad';
    said.textContent =
      answer.kind === 'too-large'
        ? t.uploadTooLarge(answer.maxMb)
        : answer.kind === 'wrong-type'
          ? t.uploadWrongType(t.formats[format])
          : answer.kind === 'timed-out'
            ? t.uploadTimedOut
            : t.uploadFailed;
  };
  file.addEventListener('change', () => void send());
  const open = button(t.uploadFile, () => {
    file.click();
  });
  return el('div', { class: 'cb-bar' }, open, file, said);
}
