import type { FeedEvent } from '../../jobs/job-feed.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import { toV2Output, toV2Progress, toV2Status } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import { toFrame } from './sse.ts';

export type Snapshot = Extract<FeedEvent, { type: 'progress' | 'preview' }>;

/** The events of jobs as Comfy API v2 has them, each written once for all who are told it. With an `id` of ours, or without. */
export interface EventFrames {
  /** Its data: whoever was told the same before is not told again. */
  status(job: Job): string;
  snapshot(event: Snapshot, id: number | undefined): Buffer;
  output(job: Job, result: JobResult, to: { origin: string; id: number | undefined }): Buffer;
}

/** A caller chooses its own `Host`, and may choose another each time: so many variants of one event are remembered. */
const maxVariants = 16;

export function createEventFrames({
  contextOf,
  positionOf,
}: {
  contextOf(job: Job, origin: string): V2Context;
  positionOf(job: Job): number | undefined;
}): EventFrames {
  const written = new WeakMap<object, Map<string, Buffer>>();

  function once(about: object, variant: string, write: () => Buffer): Buffer {
    const known = written.get(about) ?? new Map<string, Buffer>();
    written.set(about, known);
    const frame = known.get(variant) ?? write();
    if (known.size >= maxVariants) known.clear();
    known.set(variant, frame);
    return frame;
  }

  return {
    status: (job) => JSON.stringify(toV2Status(job, positionOf(job))),
    snapshot: (event, id) =>
      once(event, String(id), () => toFrame(event.type, JSON.stringify(toData(event)), id)),
    output: (job, result, { origin, id }) =>
      // How long it can be had is known anew when its job has ended.
      once(result, `${id} ${job.finishedAt} ${origin}`, () =>
        toFrame('output', JSON.stringify(toV2Output(job, result, contextOf(job, origin))), id),
      ),
  };
}

function toData(event: Snapshot) {
  if (event.type === 'progress') return toV2Progress(event.job, event.progress);
  const { node, contentType, image } = event;
  return { node_id: node ?? '', content_type: contentType, data_base64: image.toString('base64') };
}
