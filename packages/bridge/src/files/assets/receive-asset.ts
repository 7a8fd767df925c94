import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import { BridgeError } from '../../errors.ts';
import type { CheckPolicy } from '../check-file.ts';
import type { FileStore, PendingFile } from '../file-store.ts';
import type { PartHeader } from '../part-header.ts';
import { readMultipart } from '../read-multipart.ts';
import { receiveNamed, requireClaim, requireSafe } from '../refuse-file.ts';
import { createAssetFields } from './asset-fields.ts';
import type { AssetFields } from './asset-fields.ts';
import type { AssetKeeper, KeptAsset } from './keep-asset.ts';
import { isUnnamed, nameByContent } from './name-by-content.ts';

export interface AssetUpload {
  account: string;
  headers: IncomingHttpHeaders;
  /** The request's body, unread. After a refusal it may hold unread bytes. */
  stream: Readable;
  signal: AbortSignal;
}

export interface ReceiveAssetDeps {
  store: Pick<FileStore, 'createPending'>;
  policy: CheckPolicy;
  keeper: AssetKeeper;
}

interface ReceivedPart {
  header: PartHeader;
  pending: PendingFile;
}

/** Beside the file: fields, boundaries, headers. */
const headroomBytes = 256 * 1024;

/**
 * Receives one asset: the part `file` of a multipart form and text fields before or behind it. What is refused, or broken
 * off, leaves nothing. Throws `BridgeError`: `bad_request`, `file_refused`, `too_large`, `hash_mismatch`, `storage_full`.
 */
export async function receiveAsset(
  { store, policy, keeper }: ReceiveAssetDeps,
  { account, headers, stream, signal }: AssetUpload,
  { maxBytes }: { maxBytes: number },
): Promise<KeptAsset> {
  if (Number(headers['content-length'] ?? 0) > maxBytes + headroomBytes)
    throw new BridgeError('too_large', 'the request is larger than a file may be');
  const fields = createAssetFields();
  const giveUp = new AbortController();
  const stop = AbortSignal.any([signal, giveUp.signal]);
  const received: ReceivedPart[] = [];
  const before: Promise<void>[] = [];
  let receiving: Promise<void> | undefined;

  async function receiveFile(header: PartHeader, body: Readable): Promise<void> {
    await Promise.all(before);
    // Its own name counts only where no file_path comes, and that may come behind it.
    if (fields.parse().file_path !== undefined) {
      const { fileName, declaredType } = nameFile(header, fields);
      if (!isUnnamed(fileName, declaredType)) requireClaim({ fileName, declaredType }, policy);
    }
    const pending = await store.createPending('upload');
    received.push({ header, pending });
    await receiveNamed(pending, header.fileName ?? 'file', body, { maxBytes, signal: stop });
  }

  async function onPart(header: PartHeader, body: Readable): Promise<void> {
    if (header.name === 'file') {
      if (receiving !== undefined)
        throw new BridgeError('bad_request', 'file: is sent twice; send each asset in a request of its own');
      receiving = receiveFile(header, body);
      return await receiving;
    }
    if (header.isFile)
      throw new BridgeError('bad_request', 'the file of an asset is sent as the field "file"');
    const field = fields.receive(header.name, body);
    before.push(field);
    await field;
  }

  try {
    await readMultipart({ contentType: headers['content-type'], stream, signal }, onPart);
    const [part] = received;
    if (part === undefined)
      throw new BridgeError('bad_request', 'file: is missing; send the bytes as the field "file"');
    return await keepPart(part);
  } finally {
    giveUp.abort();
    await Promise.allSettled([receiving]);
    for (const { pending } of received) await pending.discard();
  }

  async function keepPart({ header, pending }: ReceivedPart): Promise<KeptAsset> {
    const { fileName, declaredType } = nameFile(header, fields);
    const { expected_hash, file_path, tags = [], expires_in } = fields.parse();
    const { path, size, hash } = pending;
    if (expected_hash !== undefined && expected_hash !== hash) {
      throw new BridgeError(
        'hash_mismatch',
        'the bytes that arrived do not have the expected_hash: send them again',
      );
    }
    const named = isUnnamed(fileName, declaredType) ? await nameByContent(path, size) : undefined;
    const checked = await requireSafe(
      { content: path, size, fileName: named ?? fileName, declaredType },
      policy,
    );
    if (signal.aborted) throw new BridgeError('bad_request', 'the upload was broken off');
    return await keeper.keep({
      ...{ account, hash, size, checked, tags, expiresIn: expires_in },
      filePath: file_path ?? fileName,
      place: (key) => pending.commit(key),
    });
  }
}

function nameFile(
  header: PartHeader,
  fields: AssetFields,
): { fileName: string; declaredType: string | undefined } {
  const { file_path, content_type } = fields.parse();
  const fileName = file_path?.split('/').at(-1) ?? header.fileName;
  if (fileName === undefined)
    throw new BridgeError('bad_request', 'file_path: is missing; send the name of the file, as photo.png');
  return { fileName, declaredType: content_type ?? header.contentType };
}
