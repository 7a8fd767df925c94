import type { BridgeJob, JobStatus } from '@comfy-bridge/protocol';

export interface HistoryFilter {
  status: JobStatus | '';
  workflow: string;
}

export function matches(job: BridgeJob, { status, workflow }: HistoryFilter): boolean {
  return (status === '' || job.status === status) && (workflow === '' || job.workflow === workflow);
}

/** The list with what has become known of one job: in its place, or first when it is new; out when it no longer matches. */
export function mergeJob(
  list: readonly BridgeJob[],
  job: BridgeJob,
  filter: HistoryFilter,
): readonly BridgeJob[] {
  const isKnown = list.some(({ id }) => id === job.id);
  if (!matches(job, filter)) return isKnown ? list.filter(({ id }) => id !== job.id) : list;
  if (isKnown) return list.map((known) => (known.id === job.id ? job : known));
  // What is older than all that is shown comes with its own page.
  const oldest = list.at(-1);
  if (oldest !== undefined && job.created_at < oldest.created_at) return list;
  return [job, ...list].toSorted((a, b) =>
    a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0,
  );
}

/** The next page behind what is shown; what moved up meanwhile is not shown twice. */
export function appendPage(list: readonly BridgeJob[], page: readonly BridgeJob[]): readonly BridgeJob[] {
  const known = new Set(list.map(({ id }) => id));
  return [...list, ...page.filter(({ id }) => !known.has(id))];
}
