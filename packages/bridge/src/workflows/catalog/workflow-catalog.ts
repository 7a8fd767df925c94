import { basename, dirname, join, resolve } from 'node:path';
import {
  assembleCatalog,
  findWorkflow,
  type AssembledCatalog,
  type CatalogProblem,
} from './assemble-catalog.ts';
import { emptyFolder, loadFolder, type FolderPaths, type LoadedFolder } from './load-folder.ts';
import type { PublishedWorkflow } from './published-workflow.ts';
import { watchFolder, type FolderWatch } from './watch-folder.ts';
import { createWorkflowPictures, type WorkflowPictures } from './workflow-pictures.ts';

interface CatalogLog {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

interface CatalogDeps extends FolderPaths {
  log: CatalogLog;
}

export interface CatalogOptions {
  /** What is older than this is looked at again when somebody asks, in ms; default 1000. */
  maxAgeMs?: number;
  /** How long `refreshSoon` waits for a slow disk before what was known must do, in ms; default 2000. */
  maxWaitMs?: number;
  /** False: look only when asked. Default true. */
  watch?: boolean;
}

/**
 * The published workflows, kept in step with the folder: added, changed and removed files are seen without a restart. It
 * watches, and looks again when asked. A broken file never takes the others down, and its last good version stays.
 */
export interface WorkflowCatalog extends WorkflowPictures, AsyncDisposable {
  /** As of the last look; starts a new one when that is old. `await refreshSoon()` before it for an answer as of now. */
  list(): readonly PublishedWorkflow[];
  /** By alias, or by file name (`.json` may be left out) where that means exactly one. Otherwise like `list`. */
  get(name: string): PublishedWorkflow | undefined;
  /** Looks now if the last look is old or a change was announced since. Costs nothing otherwise; never rejects. */
  refreshSoon(): Promise<void>;
  /** As of the last look. */
  problems(): readonly CatalogProblem[];
  /** True for a file in `input/`: a default that is staged on a backend like an upload. As of the last look. */
  isSample(fileName: string): boolean;
  /** Where a sample lies; undefined when there is no such sample. */
  samplePath(fileName: string): string | undefined;
  /** Looks now: what was on disk before the call is known after it. */
  refresh(): Promise<void>;
  /** Runs what changes several files: no look sees half of it, and one has followed when this resolves. */
  change<T>(work: () => Promise<T>): Promise<T>;
  /** Calls back after each change that was seen; returns how to stop. */
  subscribe(listener: () => void): () => void;
  close(): Promise<void>;
}

export async function createWorkflowCatalog(
  deps: CatalogDeps,
  options: CatalogOptions = {},
): Promise<WorkflowCatalog> {
  const catalog = new FolderCatalog(deps, options);
  await catalog.refresh();
  return catalog;
}

/** Files are often written in several steps: a look follows the last of them. */
const settleMs = 100;

class FolderCatalog implements WorkflowCatalog {
  readonly #deps: CatalogDeps;
  readonly #options: Required<CatalogOptions>;
  readonly #pictures: WorkflowPictures;
  readonly #listeners = new Set<() => void>();
  readonly #watches = new Map<string, FolderWatch>();
  #folder: LoadedFolder = emptyFolder;
  #catalog: AssembledCatalog = { workflows: [], problems: [] };
  #toldProblems: ReadonlySet<string> = new Set();
  #lookedAt = -Infinity;
  #dirty = false;
  #closed = false;
  #settling: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(deps: CatalogDeps, options: CatalogOptions) {
    this.#deps = { ...deps, workflowDir: resolve(deps.workflowDir), aliasFile: resolve(deps.aliasFile) };
    this.#pictures = createWorkflowPictures(this.#deps);
    this.#options = { maxAgeMs: 1000, maxWaitMs: 2000, watch: true, ...options };
  }

  list(): readonly PublishedWorkflow[] {
    if (this.#running === undefined && this.#isOld()) void this.refresh();
    return this.#catalog.workflows;
  }

  get(name: string): PublishedWorkflow | undefined {
    return findWorkflow(this.list(), name);
  }

  readThumbnail(workflow: PublishedWorkflow): Promise<string | undefined> {
    return this.#pictures.readThumbnail(workflow);
  }

  readDescImages(workflow: PublishedWorkflow): Promise<ReadonlyMap<string, string>> {
    return this.#pictures.readDescImages(workflow);
  }

  problems(): readonly CatalogProblem[] {
    return this.#catalog.problems;
  }

  isSample(fileName: string): boolean {
    return this.#folder.samples.has(fileName);
  }

  samplePath(fileName: string): string | undefined {
    return this.isSample(fileName) ? join(this.#deps.workflowDir, 'input', fileName) : undefined;
  }

  refresh(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#running === undefined) return this.#look();
    // A look that is under way may have passed the change already: one more follows, for all who ask meanwhile.
    this.#queued ??= this.#running.then(() => {
      this.#queued = undefined;
      return this.refresh();
    });
    return this.#queued;
  }

  async change<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running;
    const changing = work();
    this.#running = changing.then(
      () => {},
      () => {},
    );
    void this.#running.then(() => {
      this.#running = undefined;
    });
    try {
      return await changing;
    } finally {
      await this.refresh();
    }
  }

  async refreshSoon(): Promise<void> {
    if (!this.#isOld()) return;
    const { promise, resolve: giveUp } = Promise.withResolvers<void>();
    const timer = setTimeout(giveUp, this.#options.maxWaitMs);
    await Promise.race([this.refresh(), promise]);
    clearTimeout(timer);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settling);
    for (const watching of this.#watches.values()) watching.close();
    this.#watches.clear();
    this.#listeners.clear();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isOld(): boolean {
    return this.#dirty || performance.now() - this.#lookedAt >= this.#options.maxAgeMs;
  }

  #look(): Promise<void> {
    this.#running = this.#load()
      .catch((error: unknown) => this.#deps.log.error({ err: error }, 'looking for workflows failed'))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #load(): Promise<void> {
    // Before reading: what changes from here on must be told by the watch or found by the next look.
    this.#watch();
    this.#dirty = false;
    const startedAt = performance.now();
    const before = this.#folder;
    this.#folder = await loadFolder(this.#deps, before);
    this.#lookedAt = startedAt;
    if (this.#closed || !isChanged(before, this.#folder)) return;
    this.#catalog = assembleCatalog(this.#folder, basename(this.#deps.aliasFile));
    this.#deps.log.info({ workflows: this.#catalog.workflows.length }, 'workflows loaded');
    this.#tellProblems();
    for (const listener of this.#listeners) this.#notify(listener);
  }

  /** Each problem once per change of its file: the file's signature is part of what was told. */
  #tellProblems(): void {
    const told = new Set<string>();
    for (const { fileName, message } of this.#catalog.problems) {
      const key = JSON.stringify([fileName, this.#folder.files.get(fileName)?.signature, message]);
      if (!this.#toldProblems.has(key))
        this.#deps.log.warn({ file: fileName, problem: message }, 'workflow problem');
      told.add(key);
    }
    this.#toldProblems = told;
  }

  #notify(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'a workflow listener failed');
    }
  }

  #watch(): void {
    if (!this.#options.watch || this.#closed) return;
    const { workflowDir, aliasFile } = this.#deps;
    const aliasDir = dirname(aliasFile);
    this.#watchFolder(workflowDir, () => true);
    if (aliasDir !== workflowDir)
      this.#watchFolder(aliasDir, (name) => name === null || name === basename(aliasFile));
  }

  #watchFolder(folder: string, concerns: (fileName: string | null) => boolean): void {
    if (this.#watches.has(folder)) return;
    const onChange = (fileName: string | null) => concerns(fileName) && this.#lookSoon();
    const watching = watchFolder(folder, onChange, () => this.#watches.delete(folder));
    if (watching !== undefined) this.#watches.set(folder, watching);
  }

  #lookSoon(): void {
    if (this.#closed) return;
    this.#dirty = true;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.refresh(), settleMs).unref();
  }
}

function isChanged(before: LoadedFolder, after: LoadedFolder): boolean {
  if (before === emptyFolder || before.problem !== after.problem || before.aliases !== after.aliases)
    return true;
  if (before.files.size !== after.files.size) return true;
  return [...after.files].some(([fileName, file]) => before.files.get(fileName) !== file);
}
