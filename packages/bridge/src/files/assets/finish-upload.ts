import { createReadStream, existsSync } from 'node:fs';

import { resumableMetadataSchema } from '@comfy-bridge/protocol';

import { BridgeError } from '../../errors.ts';
import { createContentHasher } from '../../lib/content-hash.ts';
import type { ContentHash } from '../../lib/content-hash.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import type { CheckPolicy } from '../check-file.ts';
import type { FileStore } from '../file-store.ts';
import { requireClaim, requireSafe, toShown } from '../refuse-file.ts';
import type { AssetKeeper } from './keep-asset.ts';
import type { PartialUpload } from './partial-records.ts';
import type { PartialStore } from './partial-store.ts';

export interface UploadFinisher {
  /** Refuses what could not become an asset whatever its bytes are. */
  checkMetadata(metadata: PartialUpload['metadata'] | undefined): void;
  /**
   * Makes an asset of a complete upload, under the upload's id; what is refused is removed. Safe to call again, and at the
   * same time. Throws `BridgeError`: `file_refused`, `storage_full`.
   */
  finish(upload: PartialUpload): Promise<void>;
}

export function createUploadFinisher({
  partials,
  keeper,
  files,
  policy,
}: {
  partials: PartialStore;
  keeper: AssetKeeper;
  files: Pick<FileStore, 'adopt'>;
  policy: CheckPolicy;
}): UploadFinisher {
  const turns = createKeyedMutex();

  async function toAsset(upload: PartialUpload): Promise<void> {
    const { id, account, size } = upload;
    const { filename, declaredType, expiresIn } = readMetadata(upload.metadata);
    const path = partials.pathOf(upload);
    const fileName = toFileName(filename);
    const checked = await requireSafe({ content: path, size, fileName, declaredType }, policy);
    await keeper.keep({
      ...{ id, account, size, checked, filePath: filename, tags: [], expiresIn },
      hash: await hashFile(path),
      place: (key) => files.adopt(path, key),
    });
  }

  return {
    checkMetadata(metadata = {}) {
      const { filename, declaredType } = readMetadata(metadata);
      requireClaim({ fileName: toFileName(filename), declaredType }, policy);
    },
    finish: (upload) =>
      turns.run(upload.id, async () => {
        // Somebody else was first.
        if (partials.find(upload.id, upload.account) === undefined) return;
        try {
          await toAsset(upload);
        } catch (error) {
          const isRefused = error instanceof BridgeError && error.code === 'file_refused';
          if (isRefused || !existsSync(partials.pathOf(upload))) await partials.remove(upload.id);
          throw error;
        }
        await partials.remove(upload.id);
      }),
  };
}

function readMetadata(metadata: PartialUpload['metadata']) {
  const parsed = resumableMetadataSchema.safeParse(metadata);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new BridgeError('bad_request', `Upload-Metadata: ${toShown(problems.slice(0, 3).join('; '))}`);
  }
  const { filename, filetype, expires_in } = parsed.data;
  return { filename, declaredType: filetype ?? undefined, expiresIn: expires_in ?? undefined };
}

function toFileName(path: string): string {
  return path.split('/').at(-1) ?? path;
}

async function hashFile(path: string): Promise<ContentHash> {
  const hasher = createContentHasher();
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    if (Buffer.isBuffer(chunk)) hasher.update(chunk);
  }
  return hasher.digest();
}
