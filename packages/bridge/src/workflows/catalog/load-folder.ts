import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseAliasFile, type AliasEntry } from './alias-file.ts';
import { parseWorkflow } from './parse-workflow.ts';
import type { PublishedWorkflow } from './published-workflow.ts';
import { errorCode, readWatchedFile, staysInside, type FileSignature } from './read-watched-file.ts';

/** Of a workflow file, and of the alias file. */
export const maxFileBytes = 10 * 1024 * 1024;

/** What is known of one file. A file that broke keeps its last good content until it is mended or removed. */
interface LoadedFile<T> {
  signature: FileSignature | undefined;
  content: T | undefined;
  problem: string | undefined;
}

interface LoadedAliases {
  entries: readonly AliasEntry[];
  problems: readonly string[];
}

export interface LoadedFolder {
  /** By file name, sorted. The workflows carry no alias yet. */
  files: ReadonlyMap<string, LoadedFile<PublishedWorkflow>>;
  aliases: LoadedFile<LoadedAliases>;
  /** File names in `input/`. */
  samples: ReadonlySet<string>;
  /** Set when the folder itself cannot be read; the rest is then what was known before. */
  problem: string | undefined;
}

export interface FolderPaths {
  workflowDir: string;
  aliasFile: string;
}

export const emptyFolder: LoadedFolder = {
  files: new Map(),
  aliases: { signature: undefined, content: undefined, problem: undefined },
  samples: new Set(),
  problem: undefined,
};

/** Brings `known` up to date with the disk. What did not change is the same object as before. Never rejects. */
export async function loadFolder(paths: FolderPaths, known: LoadedFolder): Promise<LoadedFolder> {
  const aliases = await loadAliases(paths.aliasFile, known.aliases);
  let names: string[];
  try {
    names = await workflowFileNames(paths);
  } catch (error) {
    // A network drive that is away must not unpublish everything.
    return { ...known, aliases, problem: `the workflow folder cannot be read (${errorCode(error)})` };
  }
  const files = new Map<string, LoadedFile<PublishedWorkflow>>();
  for (const fileName of names) {
    const file = await loadWorkflow(paths.workflowDir, fileName, known.files.get(fileName));
    if (file !== undefined) files.set(fileName, file);
  }
  return { files, aliases, samples: await sampleNames(join(paths.workflowDir, 'input')), problem: undefined };
}

/** Which files of the folder are workflows. Rejects when it cannot be read. */
export async function workflowFileNames(paths: FolderPaths): Promise<string[]> {
  const entries = await readdir(paths.workflowDir, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && isWorkflowFileName(paths, entry.name))
    .map((entry) => entry.name)
    .toSorted();
}

/** Whether a file of this name would be a workflow. */
export function isWorkflowFileName({ workflowDir, aliasFile }: FolderPaths, fileName: string): boolean {
  return /^[^.].*\.json$/i.test(fileName) && resolve(workflowDir, fileName) !== resolve(aliasFile);
}

async function loadWorkflow(
  workflowDir: string,
  fileName: string,
  known: LoadedFile<PublishedWorkflow> | undefined,
): Promise<LoadedFile<PublishedWorkflow> | undefined> {
  const file = await readWatchedFile(workflowDir, fileName, known?.signature, maxFileBytes);
  switch (file.state) {
    case 'unchanged':
      return known;
    case 'missing':
      return undefined;
    case 'unreadable':
      return { signature: file.signature, content: known?.content, problem: file.problem };
    case 'read': {
      const parsed = parseWorkflow({ fileName, text: file.bytes.toString('utf8') });
      if (parsed.ok) return { signature: file.signature, content: parsed.workflow, problem: undefined };
      return { signature: file.signature, content: known?.content, problem: parsed.problem };
    }
  }
}

async function loadAliases(
  aliasFile: string,
  known: LoadedFile<LoadedAliases>,
): Promise<LoadedFile<LoadedAliases>> {
  const file = await readWatchedFile(dirname(aliasFile), basename(aliasFile), known.signature, maxFileBytes);
  switch (file.state) {
    case 'unchanged':
      return known;
    case 'missing':
      return {
        signature: undefined,
        content: undefined,
        problem: 'is missing: workflows are listed under their file names',
      };
    case 'unreadable':
      return { signature: file.signature, content: known.content, problem: file.problem };
    case 'read': {
      const { signature } = file;
      const parsed = parseAliasFile(file.bytes.toString('utf8'));
      if (parsed.ok) return { signature, content: parsed, problem: undefined };
      return { signature, content: known.content, problem: parsed.problem };
    }
  }
}

async function sampleNames(inputDir: string): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for (const entry of await readdir(inputDir, { withFileTypes: true })) {
      const linked =
        entry.isSymbolicLink() &&
        (await staysInside(inputDir, join(inputDir, entry.name)).catch(() => false));
      if (entry.isFile() || linked) names.add(entry.name);
    }
  } catch {
    // No such folder: there are no samples, and defaults must be on the backends themselves.
  }
  return names;
}
