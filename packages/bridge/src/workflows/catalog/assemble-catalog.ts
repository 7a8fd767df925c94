import type { AliasEntry } from './alias-file.ts';
import type { LoadedFolder } from './load-folder.ts';
import type { PublishedWorkflow } from './published-workflow.ts';

/** Something that the operator or the author should mend. */
export interface CatalogProblem {
  /** Empty when it is about the folder. */
  fileName: string;
  message: string;
}

export interface AssembledCatalog {
  /** In the order of the alias file, then files without an alias by name. */
  workflows: readonly PublishedWorkflow[];
  problems: readonly CatalogProblem[];
}

/** Joins files and aliases. A broken or missing file costs its own entry at most. */
export function assembleCatalog(folder: LoadedFolder, aliasFileName: string): AssembledCatalog {
  const entries = folder.aliases.content?.entries ?? [];
  const problems = findProblems(folder, aliasFileName);
  const byAlias = new Map<string, PublishedWorkflow>();
  for (const entry of entries) {
    const file = folder.files.get(entry.fileName);
    if (file?.content !== undefined) byAlias.set(entry.alias, withAlias(file.content, entry));
    else if (file === undefined && folder.problem === undefined) {
      const message = `alias "${entry.alias}": there is no file "${entry.fileName}" in the workflow folder`;
      problems.push({ fileName: aliasFileName, message });
    }
  }
  const aliased = new Set(entries.map((entry) => entry.fileName));
  for (const [fileName, { content }] of folder.files) {
    if (content === undefined || aliased.has(fileName)) continue;
    if (!byAlias.has(fileName)) byAlias.set(fileName, content);
    else problems.push({ fileName, message: 'is not listed: another workflow has its name as its alias' });
  }
  return { workflows: [...byAlias.values()], problems };
}

function findProblems({ files, aliases, problem }: LoadedFolder, aliasFileName: string): CatalogProblem[] {
  const problems: CatalogProblem[] = [];
  if (problem !== undefined) problems.push({ fileName: '', message: problem });
  const aliasProblems = [aliases.problem, ...(aliases.content?.problems ?? [])];
  problems.push(
    ...aliasProblems.flatMap((message) =>
      message === undefined ? [] : [{ fileName: aliasFileName, message }],
    ),
  );
  for (const [fileName, file] of files) {
    const stale = file.content === undefined ? '' : ' (the version before stays published)';
    if (file.problem !== undefined) problems.push({ fileName, message: file.problem + stale });
    else problems.push(...(file.content?.problems ?? []).map((message) => ({ fileName, message })));
  }
  return problems;
}

function withAlias(workflow: PublishedWorkflow, entry: AliasEntry): PublishedWorkflow {
  const { alias, description, thumbnailFile } = entry;
  return { ...workflow, alias, description, ...(thumbnailFile !== undefined && { thumbnailFile }) };
}

/** By alias; else by file name, with or without `.json`, when that means exactly one workflow. */
export function findWorkflow(
  workflows: readonly PublishedWorkflow[],
  name: string,
): PublishedWorkflow | undefined {
  const byAlias = workflows.find(({ alias }) => alias === name);
  if (byAlias !== undefined) return byAlias;
  const exact = workflows.filter(({ fileName }) => fileName === name);
  const byFile = exact.length > 0 ? exact : workflows.filter(({ fileName }) => fileName === `${name}.json`);
  return byFile.length === 1 ? byFile[0] : undefined;
}
