import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The steps in which files are replaced durably. Each either happens or rejects. */
export interface Disk {
  /** A new file whose content is durable; its name is not yet. `mode`: as another file has it. */
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** What is not there is removed already. */
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Makes what was renamed or removed in a folder durable. */
  sync(folder: string): Promise<void>;
}

export const realDisk: Disk = {
  async write(path, content, mode) {
    await using handle = await open(path, 'wx');
    await handle.writeFile(content);
    if (mode !== undefined) await handle.chmod(mode & 0o777);
    await handle.sync();
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async makeFolder(path) {
    await mkdir(path, { recursive: true });
  },
  async sync(folder) {
    try {
      await using handle = await open(folder, 'r');
      await handle.sync();
    } catch (error) {
      // Systems that cannot sync a folder do so on their own.
      if (!['EPERM', 'EISDIR', 'EINVAL', 'EACCES'].includes(codeOf(error))) throw error;
    }
  },
};

const temporaryName = /^\.comfy-bridge-[0-9a-f-]{36}\.tmp$/;

/** Whether a file name is one that `prepareFile` gives. */
export function isTemporaryName(name: string): boolean {
  return temporaryName.test(name);
}

export interface PreparedFile {
  /** Puts it in its place, in one step. */
  commit(): Promise<void>;
  /** Puts back what was there before `commit`, whether that went well or not. */
  undo(): Promise<void>;
  /** Leaves everything as it was. Does nothing after `commit`; never rejects. */
  discard(): Promise<void>;
}

/** Writes beside `path` what it is to hold; it has the mode of the file that it replaces. Makes the folder when it is missing. */
export async function prepareFile(disk: Disk, path: string, content: string | Buffer): Promise<PreparedFile> {
  const folder = dirname(path);
  const temporary = join(folder, `.comfy-bridge-${randomUUID()}.tmp`);
  const discard = () => disk.remove(temporary).catch(() => {});
  const before = await stat(path).catch(() => undefined);
  if (before === undefined) await disk.makeFolder(folder);
  try {
    await disk.write(temporary, content, before?.mode);
  } catch (error) {
    await discard();
    throw error;
  }
  const old = before === undefined ? undefined : await readFile(path);
  return {
    async commit() {
      await disk.rename(temporary, path);
      await disk.sync(folder);
    },
    undo: () => putBack(disk, path, old),
    discard,
  };
}

/** The removal of a file, which can be undone like the making of one. */
export async function prepareRemoval(disk: Disk, path: string): Promise<PreparedFile> {
  const old = await readFile(path);
  return {
    async commit() {
      await disk.remove(path);
      await disk.sync(dirname(path));
    },
    undo: () => putBack(disk, path, old),
    async discard() {},
  };
}

async function putBack(disk: Disk, path: string, old: Buffer | undefined): Promise<void> {
  const now = await readFile(path).catch(() => undefined);
  if (old === undefined) await disk.remove(path);
  else if (now?.equals(old) !== true) {
    const file = await prepareFile(disk, path, old);
    await file.commit().finally(() => file.discard());
  }
  await disk.sync(dirname(path));
}

/** The error code of the file system, such as `ENOENT`; empty when it is another error. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
