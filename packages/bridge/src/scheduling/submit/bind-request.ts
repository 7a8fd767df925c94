import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Fleet } from '../../backends/fleet.ts';
import { isSavedName } from '../../files/saved-name.ts';
import { findFileTypeByExtension } from '../../files/file-types.ts';
import type { FileKey } from '../../files/file-store.ts';
import { mapInChunks } from '../../lib/map-in-chunks.ts';
import { bindInputs } from '../../workflows/inputs/bind-inputs.ts';
import type { BoundInputs } from '../../workflows/inputs/bind-inputs.ts';
import { toAssetId } from '../../workflows/inputs/file-value.ts';
import type { AssetFile } from '../../workflows/inputs/file-value.ts';
import { resolveInput } from '../../workflows/inputs/input-spec.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import type { JobRequest } from './job-intake.ts';

export interface BindRequestDeps {
  fleet: Pick<Fleet, 'findDefinition'>;
  /** Marks an upload as used now; false when there is no such file (any more), or not for this account. */
  touchUpload(key: FileKey, account: string): Promise<boolean>;
  isSample(fileName: string): boolean;
  /** The file of an asset, if it is the account's own and still there; it is kept for a while from then on. */
  resolveAsset?(assetId: string, account: string): Promise<AssetFile | undefined>;
}

type Values = Readonly<Record<string, unknown>>;

export interface BindOptions {
  /** Its assets may stand for files. */
  account?: string;
  /** Whose uploads may be named; without one, none. */
  uploader?: string;
}

/**
 * Binds the values of one job, or of many, to a published workflow: finds the files that they name, each once, and checks
 * them all. With an account, its assets may stand for files, and what a file is must fit its input.
 */
export type BindRequest = (
  workflow: PublishedWorkflow,
  sets: readonly Values[],
  options?: BindOptions,
) => Promise<BoundInputs[]>;

/** A large graph takes a millisecond to copy and check. */
const bindsPerTurn = 20;
const lookUpsAtOnce = 50;

export function createBindRequest(deps: BindRequestDeps): BindRequest {
  const { findDefinition } = deps.fleet;

  async function findUploads(sets: readonly Values[], account: string): Promise<Set<string>> {
    const names = new Set(
      sets.flatMap((values) =>
        Object.values(values).filter((value) => typeof value === 'string' && isSavedName(value)),
      ),
    );
    const found = await mapInChunks([...names].map(String), lookUpsAtOnce, async (name) =>
      (await deps.touchUpload(`uploads/${name}`, account)) ? [name] : [],
    );
    return new Set(found.flat());
  }

  async function findAssets(
    workflow: PublishedWorkflow,
    sets: readonly Values[],
    account: string,
  ): Promise<Map<string, AssetFile>> {
    const fileKeys = workflow.inputs
      .filter((input) => resolveInput(input, findDefinition(input.classType)).format !== undefined)
      .map(({ key }) => key);
    const ids = new Set(sets.flatMap((values) => fileKeys.flatMap((key) => toAssetId(values[key]) ?? [])));
    const found = await mapInChunks([...ids], lookUpsAtOnce, async (id) => {
      const asset = await deps.resolveAsset?.(id, account);
      return asset === undefined ? [] : [[id, asset] as const];
    });
    return new Map(found.flat());
  }

  return async (workflow, sets, { account, uploader } = {}) => {
    const uploads = uploader === undefined ? new Set<string>() : await findUploads(sets, uploader);
    const assets = account === undefined ? undefined : await findAssets(workflow, sets, account);
    const bindDeps = {
      findDefinition,
      isUploaded: (savedName: string) => uploads.has(savedName),
      isSample: deps.isSample,
      ...(assets !== undefined && {
        findAsset: (id: string) => assets.get(id),
        contentTypeOf: contentTypeByName,
      }),
    };
    const bound: BoundInputs[] = [];
    for (const [index, values] of sets.entries()) {
      if (index > 0 && index % bindsPerTurn === 0) await nextTurn();
      bound.push(bindInputs(workflow, values, bindDeps));
    }
    return bound;
  };
}

/** An upload was checked to be what its extension says. */
function contentTypeByName(savedName: string): string | undefined {
  return findFileTypeByExtension(savedName.slice(savedName.lastIndexOf('.')))?.contentType;
}

type Caller = Omit<JobRequest, 'hasCredentials' | 'workflow' | 'prompt' | 'stagedInputs' | 'outputNodes'>;

/** What the intake takes for a job of a published workflow. */
export function toPublishedRequest(
  workflow: PublishedWorkflow,
  { prompt, stagedInputs }: Extract<BoundInputs, { ok: true }>,
  caller: Caller,
): JobRequest {
  return {
    ...caller,
    hasCredentials: false,
    workflow: workflow.alias,
    prompt,
    stagedInputs,
    outputNodes: workflow.outputNodes,
  };
}
