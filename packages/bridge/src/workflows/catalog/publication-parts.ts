import { resolve } from 'node:path';

import { realDisk } from '../../lib/disk.ts';
import type { Disk } from '../../lib/disk.ts';
import type { FolderPaths } from './load-folder.ts';
import { createPublicationJournal } from './publication-journal.ts';
import type { JournalLog, PublicationJournal } from './publication-journal.ts';
import { createWorkflowVersions } from './workflow-versions.ts';
import type { WorkflowVersions } from './workflow-versions.ts';

/** What publishing keeps on the disk, beside the workflows themselves. */
export interface PublicationParts extends FolderPaths {
  journal: PublicationJournal;
  versions: WorkflowVersions;
}

/** Opens it, and finishes what an earlier process was killed in the middle of. Never rejects. */
export async function openPublications({
  workflowDir,
  aliasFile,
  directory,
  log,
  disk = realDisk,
}: FolderPaths & { directory: string; log: JournalLog; disk?: Disk }): Promise<PublicationParts> {
  const paths = { workflowDir: resolve(workflowDir), aliasFile: resolve(aliasFile) };
  const versions = createWorkflowVersions({ directory, disk });
  const journal = createPublicationJournal({ ...paths, disk, directory, versions, log });
  await journal.resume();
  await journal.sweep();
  return { ...paths, journal, versions };
}
