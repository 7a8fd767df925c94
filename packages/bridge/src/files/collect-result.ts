import { addAbortSignal, type Readable } from 'node:stream';
import type { OutputType } from '@comfy-bridge/protocol';
import type { AllowedTypes } from './allowed-types.ts';
import { BridgeError } from '../errors.ts';
import { hashContent, type ContentHash } from '../lib/content-hash.ts';
import { reachPoint } from '../lib/crash-point.ts';
import { checkClaim, checkFile, type CheckPolicy } from './check-file.ts';
import { cleanFileName } from './check-file-name.ts';
import { smallBytes } from './file-store.ts';
import type { FileKey, FileStore, PendingFile } from './file-store.ts';

export interface FilePolicy extends CheckPolicy {
  /** What a ComfyUI may hand out; see `toResultAllowed`. */
  resultAllowed: AllowedTypes;
}

export interface ResultSource {
  body: Readable;
  /** As announced, in bytes. */
  contentLength?: number | undefined;
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
  hash: ContentHash;
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
  { body, contentLength, contentType: declaredType, fileName, key }: ResultSource,
  signal?: AbortSignal,
): Promise<CollectOutcome> {
  const name = cleanFileName(fileName);
  const resultPolicy: CheckPolicy = { ...policy, allowed: policy.resultAllowed };
  const claim = checkClaim({ fileName: name, declaredType }, resultPolicy.allowed);
  if (!claim.ok) {
    discardBody(body);
    return { ok: false, reason: `${name}: ${claim.reason}` };
  }
  const target: Target = { store, policy: resultPolicy, maxBytes, name, declaredType, key };
  const isSmall = contentLength !== undefined && contentLength <= Math.min(smallBytes, maxBytes);
  return isSmall
    ? await collectSmall(target, { body, contentLength }, signal)
    : await collectLarge(target, body, signal);
}

interface Target {
  store: FileStore;
  policy: CheckPolicy;
  maxBytes: number;
  /** Cleaned. */
  name: string;
  declaredType: string | undefined;
  key: FileKey;
}

/** Checked in memory: it touches the disk once, when it is worth keeping. */
async function collectSmall(
  { store, policy, name, declaredType, key }: Target,
  { body, contentLength }: { body: Readable; contentLength: number },
  signal: AbortSignal | undefined,
): Promise<CollectOutcome> {
  const content = await readUpTo(body, contentLength, signal);
  if (content === undefined) return { ok: false, reason: `${name}: it is longer than was announced` };
  const size = content.length;
  const checked = await checkFile({ content, size, fileName: name, declaredType }, policy);
  if (!checked.ok) return { ok: false, reason: `${name}: ${checked.reason}` };
  signal?.throwIfAborted();
  reachPoint('result-received');
  await store.put(key, content);
  reachPoint('result-committed');
  const { contentType, kind } = checked.file;
  return {
    ok: true,
    result: { fileName: name, contentType, type: kind, size, hash: hashContent(content) },
  };
}

async function collectLarge(
  { store, policy, maxBytes, name, declaredType, key }: Target,
  body: Readable,
  signal: AbortSignal | undefined,
): Promise<CollectOutcome> {
  let pending: PendingFile;
  try {
    pending = await store.createPending('result');
  } catch (error) {
    discardBody(body);
    throw error;
  }
  try {
    await pending.receive(body, { maxBytes, ...(signal === undefined ? {} : { signal }) });
    const { path, size, hash } = pending;
    const checked = await checkFile({ content: path, size, fileName: name, declaredType }, policy);
    if (!checked.ok) return { ok: false, reason: `${name}: ${checked.reason}` };
    signal?.throwIfAborted();
    reachPoint('result-received');
    await pending.commit(key);
    reachPoint('result-committed');
    const { contentType, kind } = checked.file;
    return { ok: true, result: { fileName: name, contentType, type: kind, size, hash } };
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
  { store, maxBytes }: Pick<CollectContext, 'store' | 'maxBytes'>,
  { text, key }: { text: string; key: FileKey },
): Promise<CollectOutcome> {
  const fileName = 'text.txt';
  const bytes = Buffer.from(text.toWellFormed().replaceAll('\0', '�'));
  const size = bytes.length;
  if (size > maxBytes) return { ok: false, reason: `${fileName}: the text is larger than a result may be` };
  await store.put(key, bytes);
  const hash = hashContent(bytes);
  return { ok: true, result: { fileName, contentType: 'text/plain', type: 'text', size, hash } };
}

/** Undefined when there is more. Rejects when `body` breaks off or `signal` aborts; `body` is destroyed in any case. */
async function readUpTo(
  body: Readable,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of signal === undefined ? body : addAbortSignal(signal, body)) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a result is received as bytes');
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function discardBody(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}
