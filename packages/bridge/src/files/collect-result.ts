import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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
import { createBufferWindow, createFileWindow } from './file-window.ts';
import { applyEdits, streamEdited } from './strip/edits.ts';
import { planStrip } from './strip/strip-metadata.ts';
import type { StripPlan } from './strip/strip-plan.ts';

export interface FilePolicy extends CheckPolicy {
  /** What a ComfyUI may hand out; see `toResultAllowed`. */
  resultAllowed: AllowedTypes;
  /** Whether files lose their metadata on the way to a ComfyUI. */
  stripMetadata: boolean;
  /** Whether pictures are coded anew on the way to a ComfyUI. */
  reencodeImages: boolean;
  /** Whether results lose their metadata: of all workflows, or of these. */
  stripResults: boolean | readonly string[];
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
  /** Whether it loses its metadata: ComfyUI writes the whole workflow into what it makes. Default false. */
  strip?: boolean;
}

/**
 * Takes a result file from a ComfyUI, which is trusted no more than a client: it is cut off at the cap while it streams and
 * goes through the same check. `body` is consumed or destroyed in every case. A refused file is an outcome; what concerns
 * the attempt or the bridge is thrown: `body` breaking off, `signal`, a full disk (`BridgeError('storage_full')`).
 */
export async function collectResult(
  { store, policy, maxBytes, strip = false }: CollectContext,
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
  const target: Target = { store, policy: resultPolicy, maxBytes, strip, name, declaredType, key };
  const isSmall = contentLength !== undefined && contentLength <= Math.min(smallBytes, maxBytes);
  return isSmall
    ? await collectSmall(target, { body, contentLength }, signal)
    : await collectLarge(target, body, signal);
}

interface Target {
  store: FileStore;
  policy: CheckPolicy;
  maxBytes: number;
  strip: boolean;
  /** Cleaned. */
  name: string;
  declaredType: string | undefined;
  key: FileKey;
}

/** Checked in memory: it touches the disk once, when it is worth keeping. */
async function collectSmall(
  { store, policy, strip, name, declaredType, key }: Target,
  { body, contentLength }: { body: Readable; contentLength: number },
  signal: AbortSignal | undefined,
): Promise<CollectOutcome> {
  const received = await readUpTo(body, contentLength, signal);
  if (received === undefined) return { ok: false, reason: `${name}: it is longer than was announced` };
  const file = { content: received, size: received.length, fileName: name, declaredType };
  const checked = await checkFile(file, policy);
  if (!checked.ok) return { ok: false, reason: `${name}: ${checked.reason}` };
  const { contentType, kind } = checked.file;
  const plan = strip ? await planStrip(contentType, createBufferWindow(received)) : unchanged;
  if (!plan.ok) return { ok: false, reason: `${name}: ${plan.reason}` };
  const content = plan.edits.length === 0 ? received : applyEdits(received, plan.edits);
  signal?.throwIfAborted();
  reachPoint('result-received');
  await store.put(key, content);
  reachPoint('result-committed');
  const size = content.length;
  return {
    ok: true,
    result: { fileName: name, contentType, type: kind, size, hash: hashContent(content) },
  };
}

async function collectLarge(
  { store, policy, maxBytes, strip, name, declaredType, key }: Target,
  body: Readable,
  signal: AbortSignal | undefined,
): Promise<CollectOutcome> {
  let received: PendingFile;
  try {
    received = await store.createPending('result');
  } catch (error) {
    discardBody(body);
    throw error;
  }
  let kept = received;
  const options = { maxBytes, ...(signal === undefined ? {} : { signal }) };
  try {
    await received.receive(body, options);
    const { path } = received;
    const file = { content: path, size: received.size, fileName: name, declaredType };
    const checked = await checkFile(file, policy);
    if (!checked.ok) return { ok: false, reason: `${name}: ${checked.reason}` };
    const { contentType, kind } = checked.file;
    const plan = strip ? await planFile(contentType, received) : unchanged;
    if (!plan.ok) return { ok: false, reason: `${name}: ${plan.reason}` };
    if (plan.edits.length > 0) {
      kept = await store.createPending('result');
      const whole = { size: received.size, open: async () => createReadStream(path) };
      await kept.receive(streamEdited(whole, plan.edits), options);
    }
    signal?.throwIfAborted();
    reachPoint('result-received');
    await kept.commit(key);
    reachPoint('result-committed');
    const { size, hash } = kept;
    return { ok: true, result: { fileName: name, contentType, type: kind, size, hash } };
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'too_large') {
      return { ok: false, reason: `${name}: ${error.message}` };
    }
    throw error;
  } finally {
    await kept.discard();
    await received.discard();
  }
}

const unchanged: StripPlan = { ok: true, edits: [] };

async function planFile(contentType: string, { path, size }: PendingFile): Promise<StripPlan> {
  await using handle = await open(path, 'r');
  return await planStrip(contentType, createFileWindow(handle, size));
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
