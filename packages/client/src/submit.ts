import { findNewFiles, toJsonInputs } from './inputs.ts';
import type { NewFile } from './inputs.ts';
import { nameFile } from './name-file.ts';
import type { NamedBlob } from './name-file.ts';
import { uploadFile } from './upload.ts';
import type { UploadDeps, UploadOptions } from './upload.ts';
import { mapLimited, onAbort, orAbort } from './waiting.ts';
import type { Webhook } from './wire.ts';

export interface SubmitOptions {
  /** Until the server has accepted it; an abort takes back what was accepted meanwhile. */
  signal?: AbortSignal | undefined;
  /** The same key with the same inputs is the same job, for 24 hours. Default: a new one. */
  idempotencyKey?: string | undefined;
  /** Urgency as in the HTTP header `Priority`: 0 is the most urgent, 3 normal, 7 the least. */
  priority?: number | undefined;
  /** Have ComfyUI make preview pictures although nobody may be listening yet. */
  previews?: boolean | undefined;
  /** Whom to tell about the end. */
  webhook?: Webhook | undefined;
  /** An abort, or the end of `timeoutMs`, leaves the job on the server alone. Default: it is canceled. */
  leaveRunning?: boolean | undefined;
}

export interface SubmitDeps extends UploadDeps {
  /** Opens a file of this machine. */
  openFile(path: string): Promise<NamedBlob>;
}

/** How long it is tried to take back what was accepted while its caller gave up. */
export const takeBackMs = 10_000;
const uploadsAtOnce = 4;

/** Uploads what is new among the inputs, then makes the job or the batch. `takeBack` cancels one that comes too late. */
export async function submitInputs<Made>(
  deps: SubmitDeps,
  request: {
    alias: string;
    inputs: Readonly<Record<string, unknown>>;
    combine?: 'product' | 'zip' | undefined;
  },
  { signal, idempotencyKey, priority, previews, webhook, leaveRunning }: SubmitOptions,
  takeBack: (made: Made) => Promise<unknown>,
): Promise<Made> {
  const { alias, inputs, combine } = request;
  signal?.throwIfAborted();
  const assets = await uploadNewFiles(deps, findNewFiles(inputs), { signal });
  const body = JSON.stringify({ inputs: toJsonInputs(inputs, assets), combine, previews, webhook });
  // Not the caller's signal: only the answer says which job is to be canceled.
  const posting = new AbortController();
  const made = deps.http.json<Made>('POST', `api/bridge/workflows/${encodeURIComponent(alias)}/jobs`, {
    body,
    headers: {
      'Content-Type': 'application/json',
      ...(priority !== undefined && { Priority: `u=${priority}` }),
    },
    key: idempotencyKey,
    signal: posting.signal,
  });
  const stop = onAbort(signal, () => {
    if (leaveRunning) return posting.abort();
    const timer = setTimeout(() => posting.abort(), takeBackMs);
    made
      .then(takeBack)
      .catch(() => {})
      .finally(() => clearTimeout(timer));
  });
  return orAbort(made, signal).finally(stop);
}

/** The asset id of each file; a few at a time. */
async function uploadNewFiles(
  deps: SubmitDeps,
  files: readonly NewFile[],
  { signal }: UploadOptions,
): Promise<Map<NewFile, string>> {
  const others = new AbortController();
  const stop = onAbort(signal, () => others.abort(signal?.reason));
  try {
    const ids = await orAbort(
      mapLimited(
        files,
        uploadsAtOnce,
        async (file) => [file, await uploadNewFile(deps, file, others)] as const,
      ),
      signal,
    );
    return new Map(ids);
  } catch (error) {
    others.abort(error);
    throw error;
  } finally {
    stop();
  }
}

/** Uploads a file in any of its forms; the id of the asset. */
export async function uploadNewFile(
  deps: SubmitDeps,
  file: NewFile,
  options: UploadOptions,
): Promise<string> {
  return uploadFile(deps, await toNamedBlob(deps, file), options);
}

async function toNamedBlob({ openFile }: SubmitDeps, file: NewFile): Promise<NamedBlob> {
  if ('path' in file) return openFile(file.path);
  if (file instanceof Blob) return nameFile(file);
  return nameFile(await new Response(file instanceof Uint8Array ? new Uint8Array(file) : file).blob());
}
