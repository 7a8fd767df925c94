import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';

import { BridgeError } from '../../errors.ts';
import type { FilePolicy } from '../../files/collect-result.ts';
import type { FileStore } from '../../files/file-store.ts';
import { findFileTypeByExtension } from '../../files/file-types.ts';
import { prepareForBackend } from '../../files/strip/prepare-for-backend.ts';
import type { StagedInput } from '../../jobs/job.ts';
import type { WorkflowCatalog } from '../../workflows/catalog/workflow-catalog.ts';
import type { StagedFile } from './stage-inputs.ts';

export interface OpenSourceDeps {
  files: FileStore;
  workflows: WorkflowCatalog;
  policy: FilePolicy;
}

/** A file of a job, as a backend gets to see it. Rejects with `BridgeError` when it is gone. */
export async function openSource(
  { files, workflows, policy }: OpenSourceDeps,
  source: StagedInput['source'],
): Promise<StagedFile> {
  if (source.kind === 'upload') {
    const key = `uploads/${source.savedName}` as const;
    const info = await files.stat(key);
    if (info === undefined)
      throw new BridgeError('not_found', 'an uploaded file of this job is gone: upload it again');
    const contentType = contentTypeOf(source.savedName);
    const sent = await prepareForBackend(
      { contentType, size: info.size, open: async (range) => (await files.open(key, range)).stream },
      policy,
    );
    return { contentType, ...sent };
  }
  const path = workflows.samplePath(source.fileName);
  if (path === undefined) throw new BridgeError('not_found', `the sample file ${source.fileName} is gone`);
  const { size } = await stat(path);
  const contentType = contentTypeOf(source.fileName);
  const sent = await prepareForBackend(
    { contentType, size, open: async (range) => createReadStream(path, range) },
    { ...policy, isTrusted: true },
  );
  return { contentType, ...sent };
}

/** Good enough for a backend, which looks at the content anyway. */
function contentTypeOf(fileName: string): string {
  return findFileTypeByExtension(extname(fileName))?.contentType ?? 'application/octet-stream';
}
