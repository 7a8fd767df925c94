import { Readable } from 'node:stream';
import type { OutputType } from '@comfy-bridge/protocol';
import type { AllowedTypes } from './allowed-types.ts';
import { BridgeError } from '../errors.ts';
import { reachPoint } from '../lib/crash-point.ts';
import { checkClaim, checkFile, type CheckPolicy } from './check-file.ts';
import { cleanFileName } from './check-file-name.ts';
import type { FileKey, FileStore, PendingFile } from './file-store.ts';

export interface FilePolicy extends CheckPolicy {
  /** What a ComfyUI may hand out; see `toResultAllowed`. */
  resultAllowed: AllowedTypes;
}

export interface ResultSource {
  body: Readable;
  /** As the ComfyUI declares it; often `application/octet-stream`. */
  contentType: string | undefined;
  /** As the ComfyUI calls it; anything at all. */
  fileName: string;
  key: FileKey;
}

export interface CollectedResult {
  /** Cleaned. */
  fileName: string;
  contentType: string;
  type: OutputType;
  /** bytes */
  size: number;
  sha256: string;
}

export type CollectOutcome = { ok: true; result: CollectedResult } | { ok: false; reason: string };

export interface CollectContext {
  store: FileStore;
  policy: FilePolicy;
  /** Of one result, in bytes. */
  maxBytes: number;
}

/**
 * Takes a result file from a ComfyUI, which is trusted no more than a client: it is cut off at the cap while it streams and
 * goes through the same check. `body` is consumed or destroyed in every case. A refused file is an outcome; what concerns
 * the attempt or the bridge is thrown: `body` breaking off, `signal`, a full disk (`BridgeError('storage_full')`).
 */
export async function collectResult(
  { store, policy, maxBytes }: CollectContext,
  { body, contentType, fileName, key }: ResultSource,
  signal?: AbortSignal,
): Promise<CollectOutcome> {
  const name = cleanFileName(fileName);
  const resultPolicy: CheckPolicy = { ...policy, allowed: policy.resultAllowed };
  const claim = checkClaim({ fileName: name, declaredType: contentType }, resultPolicy.allowed);
  if (!claim.ok) {
    discardBody(body);
    return { ok: false, reason: `${name}: ${claim.reason}` };
  }
  let pending: PendingFile;
  try {
    pending = await store.createPending('result');
  } catch (error) {
    discardBody(body);
    throw error;
  }
  try {
    await pending.receive(body, { maxBytes, ...(signal === undefined ? {} : { signal }) });
    const { path, size, sha256 } = pending;
    const checked = await checkFile({ path, size, fileName: name, declaredType: contentType }, resultPolicy);
    if (!checked.ok) return { ok: false, reason: `${name}: ${checked.reason}` };
    signal?.throwIfAborted();
    reachPoint('result-received');
    await pending.commit(key);
    reachPoint('result-committed');
    const { contentType: realType, kind } = checked.file;
    return { ok: true, result: { fileName: name, contentType: realType, type: kind, size, sha256 } };
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'too_large') {
      return { ok: false, reason: `${name}: ${error.message}` };
    }
    throw error;
  } finally {
    await pending.discard();
  }
}

/** Keeps what a node said in words as `text.txt`. Lone surrogates and NULs, which no text file holds, are replaced. */
export async function storeTextResult(
  context: CollectContext,
  { text, key }: { text: string; key: FileKey },
  signal?: AbortSignal,
): Promise<CollectOutcome> {
  const { store, maxBytes } = context;
  const fileName = 'text.txt';
  const bytes = Buffer.from(text.toWellFormed().replaceAll('\0', '�'));
  const pending = await store.createPending('result');
  try {
    await pending.receive(Readable.from([bytes], { objectMode: false }), {
      maxBytes,
      ...(signal === undefined ? {} : { signal }),
    });
    await pending.commit(key);
    const { size, sha256 } = pending;
    return { ok: true, result: { fileName, contentType: 'text/plain', type: 'text', size, sha256 } };
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'too_large') {
      return { ok: false, reason: `${fileName}: ${error.message}` };
    }
    throw error;
  } finally {
    await pending.discard();
  }
}

function discardBody(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}
