import type { JobInputs } from '@comfy-bridge/protocol';

import type { Job, StagedInput } from '../../jobs/job.ts';
import type { PublishedWorkflow } from '../../workflows/catalog/published-workflow.ts';
import { nameInputs } from '../../workflows/inputs/name-inputs.ts';

/** A file that the caller may have. */
export interface FoundFile {
  fileName: string;
  contentType: string;
}

export interface DescribeInputsContext {
  /** As it is published now, and only where the caller may see it. */
  workflow: PublishedWorkflow | undefined;
  /** The asset, or the result, that stands for a file; undefined when it is gone, or not for this caller. */
  findAsset(id: string): Promise<FoundFile | undefined>;
  /** What a file is by its name. */
  contentTypeOf(fileName: string): string | undefined;
  /** Where an asset can be read. */
  urlOf(assetId: string): string;
}

/**
 * What a job was run with, by the names that its workflow's inputs have now, as it can be sent again. Only what callers may
 * set: the rest of the graph is its author's.
 */
export async function describeInputs(job: Job, context: DescribeInputsContext): Promise<JobInputs> {
  const { workflow } = context;
  const described: JobInputs = {
    workflow: job.workflow,
    is_published: workflow !== undefined,
    inputs: {},
    files: {},
  };
  for (const { name, input } of workflow === undefined ? [] : nameInputs(workflow)) {
    const value = job.prompt[input.nodeId]?.inputs[input.inputName];
    const staged = job.stagedInputs.find(
      ({ nodeId, inputName }) => nodeId === input.nodeId && inputName === input.inputName,
    );
    if (staged !== undefined) {
      described.inputs[name] = toValue(staged.source);
      described.files[name] = await describeFile(staged.source, context);
    } else if (isPlain(value)) described.inputs[name] = typeof value === 'bigint' ? String(value) : value;
  }
  return described;
}

/** What names the file in a submit. */
function toValue(source: StagedInput['source']): string {
  return source.kind === 'sample' ? source.fileName : (source.assetId ?? source.savedName);
}

async function describeFile(
  source: StagedInput['source'],
  { findAsset, contentTypeOf, urlOf }: DescribeInputsContext,
): Promise<JobInputs['files'][string]> {
  const ownName = source.kind === 'sample' ? source.fileName : source.savedName;
  const assetId = source.kind === 'upload' ? source.assetId : undefined;
  const asset = assetId === undefined ? undefined : await findAsset(assetId);
  return {
    file_name: asset?.fileName ?? ownName,
    content_type: asset?.contentType ?? contentTypeOf(ownName) ?? null,
    url: asset === undefined || assetId === undefined ? null : urlOf(assetId),
  };
}

/** Links to other nodes are no values, nor is what a later version of the workflow has made of them. */
function isPlain(value: unknown): value is string | number | boolean | bigint | null {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}
