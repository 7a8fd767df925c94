import { join } from 'node:path';
import type { PublishedWorkflow } from './published-workflow.ts';
import { readWatchedFile, type FileSignature } from './read-watched-file.ts';

const maxBytes = 5 * 1024 * 1024;
const maxCached = 200;

/** Pictures that describe workflows, as base64. A picture that is missing, broken off or too large is just absent. */
export interface WorkflowPictures {
  readThumbnail(workflow: PublishedWorkflow): Promise<string | undefined>;
  /** File name to base64, for `describeInputs`. */
  readDescImages(workflow: PublishedWorkflow): Promise<ReadonlyMap<string, string>>;
}

/** Reads from `thumbnail/` and `descimage/` in the workflow folder; a picture is read again only after it changed. */
export function createWorkflowPictures({ workflowDir }: { workflowDir: string }): WorkflowPictures {
  const cache = new Map<string, { signature: FileSignature; base64: string }>();

  async function read(folder: string, fileName: string): Promise<string | undefined> {
    const key = join(folder, fileName);
    const cached = cache.get(key);
    const file = await readWatchedFile(join(workflowDir, folder), fileName, cached?.signature, maxBytes);
    if (file.state === 'unchanged') return cached?.base64;
    cache.delete(key);
    if (file.state !== 'read') return undefined;
    const base64 = file.bytes.toString('base64');
    const [oldest] = cache.keys();
    if (cache.size >= maxCached && oldest !== undefined) cache.delete(oldest);
    cache.set(key, { signature: file.signature, base64 });
    return base64;
  }

  return {
    async readThumbnail({ thumbnailFile }) {
      return thumbnailFile === undefined ? undefined : read('thumbnail', thumbnailFile);
    },
    async readDescImages({ inputs }) {
      const names = new Set(inputs.flatMap((input) => input.descimages));
      const readPair = async (name: string) => [name, await read('descimage', name)] as const;
      const pairs = await Promise.all([...names].map(readPair));
      return new Map(
        pairs.flatMap(([name, base64]) => (base64 === undefined ? [] : [[name, base64] as const])),
      );
    },
  };
}
