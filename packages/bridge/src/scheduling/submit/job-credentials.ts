import { BridgeError } from '../../errors.ts';
import type { Events } from '../../events.ts';
import type { Job, JobId } from '../../jobs/job.ts';

/** What nodes that call paid services read (`extra_data` of ComfyUI's `POST /prompt`), such as `api_key_comfy_org`. */
export type ExtraData = Readonly<Record<string, string>>;

/** As requests bring it; undefined where nothing is in it. */
export function toExtraData(
  sent: { api_key_comfy_org?: string | undefined } | undefined,
): ExtraData | undefined {
  const key = sent?.api_key_comfy_org;
  return key === undefined ? undefined : { api_key_comfy_org: key };
}

/**
 * Keys that came with jobs: in memory only, never written down, and forgotten with the end of the job. A restart of the bridge
 * loses them; the job then fails, saying so.
 */
export interface JobCredentials {
  keep(id: JobId, extraData: ExtraData): void;
  /** Undefined for a job without; throws, in words for its owner, when it had some and they are gone. */
  read(job: Job): ExtraData | undefined;
  stop(): void;
}

export function createJobCredentials({ events }: { events: Events }): JobCredentials {
  /** As many as there are unfinished jobs, which are bounded. */
  const kept = new Map<JobId, ExtraData>();
  const off = events.on('job:finished', ({ job }) => void kept.delete(job.id));
  return {
    keep: (id, extraData) => void kept.set(id, extraData),
    read({ id, hasCredentials }) {
      const extraData = kept.get(id);
      if (!hasCredentials || extraData !== undefined) return extraData;
      throw new BridgeError(
        'unavailable',
        'the key for paid nodes that came with this job is gone, because the bridge was restarted and never writes keys down: submit the job again',
      );
    },
    stop() {
      off();
      kept.clear();
    },
  };
}
