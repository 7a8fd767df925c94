import { BridgeError } from '../../errors.ts';
import type { Events } from '../../events.ts';
import { createKeyedMutex } from '../../lib/keyed-mutex.ts';
import type { Change } from './apply-change.ts';
import { readCurrent, readThumbnail, versionOf } from './current-publication.ts';
import type { CurrentState, Publication } from './current-publication.ts';
import { maxFileBytes } from './load-folder.ts';
import type { FolderPaths } from './load-folder.ts';
import { parseWorkflow } from './parse-workflow.ts';
import type { PublicationJournal } from './publication-journal.ts';
import { toPublishError } from './publish-error.ts';
import type { PublishedWorkflow } from './published-workflow.ts';
import type { WorkflowCatalog } from './workflow-catalog.ts';
import { parseAlias, toThumbnailName, toWorkflowFileName } from './workflow-name.ts';
import { foundVersion } from './workflow-versions.ts';
import type { WorkflowVersion, WorkflowVersions } from './workflow-versions.ts';

export interface PublisherDeps extends FolderPaths {
  catalog: Pick<WorkflowCatalog, 'change' | 'get'>;
  journal: PublicationJournal;
  versions: WorkflowVersions;
  events: Pick<Events, 'emit'>;
  now: () => number;
}

/** Who changes what is published, and what it may replace. */
export interface ChangeOptions {
  /** Digest of the account. */
  by: string;
  /** Whether the version that is published now, undefined for none, is the one that the caller means to change. */
  mayReplace(version: string | undefined): boolean;
}

export interface NewPublication {
  /** The text of the file, in API format. */
  workflow: string;
  /** Undefined: stays as it is. */
  description: string | undefined;
  /** A picture that was checked; null removes the one that is there, undefined leaves it. `extension` with dot. */
  thumbnail: { base64: string; extension: string } | null | undefined;
}

export interface Published {
  publication: Publication;
  version: string;
  /** False when there was something before. */
  isNew: boolean;
  workflow: PublishedWorkflow;
}

export interface VersionList {
  alias: string;
  /** Null when it is not published. */
  current: string | null;
  /** Newest first. */
  versions: readonly WorkflowVersion[];
}

/**
 * Publishes workflows into the workflow folder, where people put files by hand as well. One change at a time; whatever happens,
 * what is published is as it was before or as it is to be. Refuses with `bad_request` (the alias), `invalid_workflow`, `conflict`
 * (another version, or a look-alike, is published), `not_found`, `unavailable` (the folder cannot be written), `storage_full` and
 * `limited`.
 */
export interface WorkflowPublisher {
  publish(alias: string, wanted: NewPublication, options: ChangeOptions): Promise<Published>;
  /** Publishes an earlier version again, also of a workflow that is not published any more. */
  restore(alias: string, version: string, options: ChangeOptions): Promise<Published>;
  /** What was published stays among the versions. */
  remove(alias: string, options: ChangeOptions): Promise<void>;
  read(alias: string): Promise<{ publication: Publication; version: string }>;
  versions(alias: string): Promise<VersionList>;
}

/** Each holds a workflow in memory while it waits. */
const maxAtOnce = 50;

export function createWorkflowPublisher(deps: PublisherDeps): WorkflowPublisher {
  const { catalog, journal, versions, events, now } = deps;
  const mutex = createKeyedMutex();
  let underWay = 0;

  /** One after the other: all of them change the file of aliases. */
  async function alone<T>(name: string, work: (current: CurrentState) => Promise<T>): Promise<T> {
    const alias = parseAlias(name);
    if (!alias.ok) throw new BridgeError('bad_request', alias.problem);
    if (underWay >= maxAtOnce) throw new BridgeError('limited', 'so many change workflows now: try again');
    underWay += 1;
    const turn = mutex.run('folder', async () => {
      try {
        // One that could not be finished: what is written down next would take its place.
        await journal.resume();
        return await work(await readCurrent(deps, alias.alias));
      } catch (error) {
        throw toPublishError(error);
      }
    });
    return await turn.finally(() => {
      underWay -= 1;
    });
  }

  async function change(
    current: CurrentState,
    wanted: Change,
    source: WorkflowVersion['source'],
    by: string,
  ) {
    await keepCurrent(current);
    const version = wanted.kind === 'put' ? versionOf(wanted.publication) : '';
    const origin = { at: now(), by, source, version };
    const applied = await catalog.change(() => journal.run(current, wanted, origin));
    if (!applied.ok) throw applied.error;
    const published = wanted.kind === 'put' ? version : null;
    events.emit('workflow:published', { workflow: current.alias, version: published, by });
  }

  /** So that it can be had back, and is the last to be dropped. */
  async function keepCurrent({ alias, publication, changedAt = now() }: CurrentState): Promise<void> {
    if (publication === undefined) return;
    const version = versionOf(publication);
    const kept = await versions.list(alias);
    if (kept[0]?.version === version) return;
    const known = kept.find((entry) => entry.version === version);
    await versions.add(known ?? foundVersion(publication, changedAt));
  }

  async function put(
    current: CurrentState,
    publication: Publication,
    options: ChangeOptions & { source: WorkflowVersion['source']; keepsThumbnail: boolean },
  ): Promise<Published> {
    const { alias, fileName, workflow: text, description } = publication;
    const parsed = parseWorkflow({ alias, fileName, text, description });
    if (!parsed.ok) {
      throw new BridgeError('invalid_workflow', `the workflow ${parsed.problem}`, {
        details: { reasons: [parsed.problem] },
      });
    }
    const { source, keepsThumbnail, by } = options;
    await change(current, { kind: 'put', publication, keepsThumbnail }, source, by);
    return {
      publication,
      version: versionOf(publication),
      isNew: current.publication === undefined,
      workflow: catalog.get(alias) ?? parsed.workflow,
    };
  }

  return {
    publish: (name, wanted, options) =>
      alone(name, async (current) => {
        requireFree(current, options);
        if (Buffer.byteLength(wanted.workflow) > maxFileBytes)
          throw new BridgeError('too_large', `a workflow has at most ${maxFileBytes} bytes`);
        const { alias, entry, publication } = current;
        return await put(
          current,
          {
            alias,
            fileName: chooseFileName(current),
            description: wanted.description ?? entry?.description ?? '',
            workflow: wanted.workflow,
            thumbnail: toThumbnail(alias, wanted.thumbnail, publication?.thumbnail ?? null),
          },
          { ...options, source: 'publish', keepsThumbnail: wanted.thumbnail === undefined },
        );
      }),
    restore: (name, version, options) =>
      alone(name, async (current) => {
        const { alias } = current;
        const kept = (await versions.list(alias)).find((entry) => entry.version === version);
        if (kept === undefined) {
          throw new BridgeError(
            'not_found',
            `there is no such version of "${alias}": the last ones are listed with its versions`,
          );
        }
        requireFree(current, options);
        const { publication: old } = kept;
        const fileName = chooseFileName(current, old.fileName);
        const thumbnail = await findPlace(deps, alias, old.thumbnail);
        return await put(
          current,
          { ...old, fileName, thumbnail },
          { ...options, source: 'restore', keepsThumbnail: false },
        );
      }),
    remove: (name, options) =>
      alone(name, async (current) => {
        const { alias, publication, entry } = current;
        if (publication === undefined && entry === undefined) throw notPublished(alias);
        requireVersion(current, options);
        await change(current, { kind: 'remove', alias }, 'publish', options.by);
      }),
    read: (name) =>
      alone(name, async ({ alias, publication }) => {
        if (publication === undefined) throw notPublished(alias);
        return { publication, version: versionOf(publication) };
      }),
    versions: (name) =>
      alone(name, async ({ alias, publication, changedAt = now() }) => {
        const kept = await versions.list(alias);
        if (publication === undefined) {
          if (kept.length === 0) throw notPublished(alias);
          return { alias, current: null, versions: kept };
        }
        const current = versionOf(publication);
        const isKept = kept.some(({ version }) => version === current);
        return { alias, current, versions: isKept ? kept : [foundVersion(publication, changedAt), ...kept] };
      }),
  };
}

function notPublished(alias: string): BridgeError {
  return new BridgeError('not_found', `there is no workflow "${alias}"`);
}

function requireFree(current: CurrentState, options: ChangeOptions): void {
  requireVersion(current, options);
  if (current.lookAlike === undefined) return;
  throw new BridgeError(
    'conflict',
    `there is a workflow "${current.lookAlike}", which can be taken for this one: use that alias, or another`,
  );
}

function requireVersion({ publication }: CurrentState, { mayReplace }: ChangeOptions): void {
  const version = publication === undefined ? undefined : versionOf(publication);
  if (mayReplace(version)) return;
  const how =
    version === undefined ? 'it is not published (any more)' : `version ${version} is published now`;
  throw new BridgeError(
    'conflict',
    `this is not the version that you know: ${how}; look at it and try again`,
    {
      details: { current: version ?? null },
    },
  );
}

/** Its own file keeps its name, unless another alias shows the same file: that one stays as it is. */
function chooseFileName({ alias, fileName, entries, isTaken }: CurrentState, wanted?: string): string {
  const isShared = entries.some((entry) => entry.alias !== alias && entry.fileName === fileName);
  if (fileName !== undefined && !isShared) return fileName;
  if (wanted !== undefined && !isTaken(wanted)) return wanted;
  return toWorkflowFileName(alias, isTaken);
}

function toThumbnail(
  alias: string,
  wanted: NewPublication['thumbnail'],
  current: Publication['thumbnail'],
): Publication['thumbnail'] {
  if (wanted === undefined) return current;
  if (wanted === null) return null;
  const { base64, extension } = wanted;
  return { base64, fileName: toThumbnailName(alias, base64, extension) };
}

/** Where an earlier picture goes: to where it was, unless another one lies there now. */
async function findPlace(
  { workflowDir }: FolderPaths,
  alias: string,
  thumbnail: Publication['thumbnail'],
): Promise<Publication['thumbnail']> {
  if (thumbnail === null) return null;
  const there = await readThumbnail(workflowDir, thumbnail.fileName);
  if (there === null || there.base64 === thumbnail.base64) return thumbnail;
  const extension = /\.[a-z]+$/i.exec(thumbnail.fileName)?.[0] ?? '';
  return { ...thumbnail, fileName: toThumbnailName(alias, thumbnail.base64, extension) };
}
