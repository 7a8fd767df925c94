import type { JobGroupView } from '@comfy-bridge/protocol';

import { summarizeGroup } from '../../jobs/group-view.ts';
import type { JobGroup } from '../../jobs/group-view.ts';
import type { Job } from '../../jobs/job.ts';
import { toV2Job } from '../../jobs/v2-view.ts';
import type { V2Context } from '../../jobs/v2-view.ts';

/** A group with its jobs as the official API shows them; those that are gone (undefined) are only counted. */
export function describeGroup(
  group: JobGroup,
  jobs: readonly (Job | undefined)[],
  { basePath, contextOf }: { basePath: string; contextOf(job: Job): V2Context },
): JobGroupView {
  const self = `${basePath}/api/bridge/groups/${group.id}`;
  const present = jobs.filter((job) => job !== undefined);
  return {
    id: group.id,
    workflow: group.workflow,
    created_at: new Date(group.createdAt).toISOString(),
    ...summarizeGroup(jobs, (job) => contextOf(job).progress?.value ?? 0),
    jobs: present.map((job) => toV2Job(job, contextOf(job))),
    urls: { self, cancel: `${self}/cancel` },
  };
}
