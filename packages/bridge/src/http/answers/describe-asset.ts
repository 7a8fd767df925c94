import type { V2Asset } from '@comfy-bridge/protocol';

import type { Asset } from '../../files/assets/asset.ts';
import type { Job, JobResult } from '../../jobs/job.ts';

export interface AssetContext {
  /** As the caller reaches the bridge, `https://host`. */
  origin: string;
  /** Sub-path that the bridge is served under. */
  basePath: string;
}

/** The asset object of Comfy API v2, all fields of the contract and no others. Its URL is good for as long as the asset is. */
export function describeAsset(asset: Asset, context: AssetContext): V2Asset {
  const expiresAt = toTime(asset.expiresAt);
  return {
    id: asset.id,
    hash: asset.hash,
    size_bytes: asset.size,
    content_type: asset.contentType,
    file_path: asset.filePath,
    created_at: toTime(asset.createdAt),
    url: toUrl(asset.id, context),
    url_expires_at: expiresAt,
    expires_at: expiresAt,
  };
}

/** A job's result as the asset that it is. */
export function describeOutput(
  { job, result, expiresAt }: { job: Job; result: JobResult; expiresAt: number },
  context: AssetContext,
): V2Asset {
  return {
    id: result.id,
    hash: result.hash ?? null,
    size_bytes: result.size,
    content_type: result.contentType,
    file_path: result.fileName,
    created_at: toTime(job.finishedAt ?? job.createdAt),
    url: toUrl(result.id, context),
    url_expires_at: toTime(expiresAt),
    expires_at: toTime(expiresAt),
    job_id: job.id,
  };
}

function toUrl(id: string, { origin, basePath }: AssetContext): string {
  return `${origin}${basePath}/api/v2/assets/${id}/content`;
}

function toTime(ms: number): string {
  return new Date(Math.round(ms)).toISOString();
}
