import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { OutputType } from '@comfy-bridge/protocol';
import { BridgeError } from '../errors.ts';
import type { ContentHash } from '../lib/content-hash.ts';
import type { CheckedFile, CheckPolicy } from './check-file.ts';
import type { FileKey, FileStore, PendingFile } from './file-store.ts';
import type { PartHeader } from './part-header.ts';
import { readMultipart } from './read-multipart.ts';
import { receiveNamed, requireClaim, requireSafe, toShown } from './refuse-file.ts';
import { createSavedName } from './saved-name.ts';

export interface UploadLimits {
  /** bytes */
  maxBytesPerFile: number;
  maxFiles: number;
  /** Of all ordinary form fields together, in bytes; they are ignored. */
  maxFieldBytes: number;
}

export interface UploadRequest {
  store: FileStore;
  policy: CheckPolicy;
  limits: UploadLimits;
  headers: IncomingHttpHeaders;
  /** The request's body, unread. After a refusal it may hold unread bytes: answer, then read them off or hang up. */
  stream: Readable;
  signal?: AbortSignal;
  /** Whose the files are, where that counts. */
  owner?: string | undefined;
}

export interface UploadedFile {
  /** What the part was called; `file` where it had no name. */
  identifier: string;
  /** Unique, with the right extension; the file lies under `uploads/<savedName>`. */
  savedName: string;
  /** As the client called it. */
  fileName: string;
  contentType: string;
  kind: OutputType;
  /** bytes */
  size: number;
  hash: ContentHash;
}

interface ReceivedFile {
  /** Place in the request: checks end in any order. */
  index: number;
  identifier: string;
  fileName: string;
  pending: PendingFile;
  checked: CheckedFile;
}

/**
 * Receives the files of a multipart request, all or nothing: on any refusal, and when the client goes away, nothing of the
 * request is kept. Throws `BridgeError`: `file_refused`, `too_large`, `bad_request` or `storage_full`.
 */
export async function receiveUpload(request: UploadRequest): Promise<{ files: UploadedFile[] }> {
  const parts = createPartReceiver(request);
  try {
    checkContentLength(request);
    const { headers, stream, signal } = request;
    await readMultipart({ contentType: headers['content-type'], stream, signal }, parts.receive);
    return { files: await commitAll(request, parts.received()) };
  } catch (error) {
    await parts.discard();
    throw error;
  }
}

interface PartReceiver {
  receive(header: PartHeader, body: Readable): Promise<void>;
  /** Throws when there was no file at all. */
  received(): ReceivedFile[];
  /** Gives up what is under way and removes what was received. */
  discard(): Promise<void>;
}

function createPartReceiver({ store, policy, limits, signal }: UploadRequest): PartReceiver {
  const identifiers = new Set<string>();
  const files: ReceivedFile[] = [];
  const work: Promise<void>[] = [];
  const giveUp = new AbortController();
  const stop = signal === undefined ? giveUp.signal : AbortSignal.any([signal, giveUp.signal]);
  let fieldBytes = 0;

  async function receiveFile(
    index: number,
    identifier: string,
    header: PartHeader,
    body: Readable,
  ): Promise<void> {
    const { fileName, contentType: declaredType } = header;
    if (fileName === undefined) throw noFileName();
    requireClaim({ fileName, declaredType }, policy);
    const pending = await store.createPending('upload');
    try {
      await receiveNamed(pending, fileName, body, { maxBytes: limits.maxBytesPerFile, signal: stop });
      const { path, size } = pending;
      const checked = await requireSafe({ content: path, size, fileName, declaredType }, policy);
      stop.throwIfAborted();
      files.push({ index, identifier, fileName, pending, checked });
    } catch (error) {
      await pending.discard();
      throw error;
    }
  }

  async function skipField(body: Readable): Promise<void> {
    for await (const chunk of body) {
      fieldBytes += Buffer.isBuffer(chunk) ? chunk.length : 0;
      if (fieldBytes > limits.maxFieldBytes) {
        throw new BridgeError(
          'too_large',
          'the form fields beside the files are too large; send files with a filename',
        );
      }
    }
  }

  return {
    async receive(header, body) {
      if (!header.isFile) return await skipField(body);
      const identifier = header.name ?? 'file';
      if (identifiers.has(identifier)) {
        throw new BridgeError(
          'bad_request',
          `two parts are named "${toShown(identifier)}"; give each file its own name`,
        );
      }
      identifiers.add(identifier);
      if (identifiers.size > limits.maxFiles) {
        throw new BridgeError(
          'bad_request',
          `more than ${limits.maxFiles} files in one request; send them in several`,
        );
      }
      const receiving = receiveFile(work.length, identifier, header, body);
      work.push(receiving);
      await receiving;
    },
    received() {
      if (files.length === 0) throw noFileName();
      return files.toSorted((a, b) => a.index - b.index);
    },
    async discard() {
      giveUp.abort();
      await Promise.allSettled(work);
      await Promise.all(files.map(({ pending }) => pending.discard()));
    },
  };
}

async function commitAll(
  { store, owner }: Pick<UploadRequest, 'store' | 'owner'>,
  files: readonly ReceivedFile[],
): Promise<UploadedFile[]> {
  const committed: FileKey[] = [];
  try {
    const uploaded: UploadedFile[] = [];
    for (const { identifier, fileName, pending, checked } of files) {
      const savedName = createSavedName(checked.extension, owner);
      const { size, hash } = pending;
      const key: FileKey = `uploads/${savedName}`;
      committed.push(key);
      await pending.commit(key);
      uploaded.push({
        identifier,
        savedName,
        fileName,
        contentType: checked.contentType,
        kind: checked.kind,
        size,
        hash,
      });
    }
    return uploaded;
  } catch (error) {
    await Promise.allSettled(committed.map((key) => store.remove(key)));
    throw error;
  }
}

/** Refuses before reading what says itself that it is too much. */
function checkContentLength({ headers, limits }: UploadRequest): void {
  const length = Number(headers['content-length'] ?? 0);
  const headroom = limits.maxFieldBytes + limits.maxFiles * 16 * 1024;
  if (length > limits.maxBytesPerFile * limits.maxFiles + headroom) {
    throw new BridgeError('too_large', 'the request is larger than all files of one request may be');
  }
}

function noFileName(): BridgeError {
  return new BridgeError(
    'bad_request',
    'no file with a filename: send each file as a part of multipart/form-data that has a name and a filename',
  );
}
