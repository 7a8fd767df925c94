import type { SimJob } from './world.ts';

/** The mean time to completion of shortest remaining first, with preemption, on one machine that does 1 per ms. */
export function meanOnOneMachine(jobs: readonly SimJob[], size: (job: SimJob) => number): number {
  const left: Remaining[] = [];
  let now = 0;
  let next = 0;
  let sum = 0;
  while (next < jobs.length || left.length > 0) {
    const job = jobs[next];
    const shortest = left.at(-1);
    if (job !== undefined && (shortest === undefined || now + shortest.left > job.at)) {
      if (shortest !== undefined) shortest.left -= job.at - now;
      now = Math.max(now, job.at);
      next += 1;
      insert(left, { at: job.at, left: size(job) });
      continue;
    }
    if (shortest === undefined) break;
    now += shortest.left;
    sum += now - shortest.at;
    left.pop();
  }
  return sum / jobs.length;
}

interface Remaining {
  at: number;
  left: number;
}

/** Longest first, so that the shortest is at the end. */
function insert(left: Remaining[], item: Remaining): void {
  let low = 0;
  let high = left.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((left[middle]?.left ?? 0) > item.left) low = middle + 1;
    else high = middle;
  }
  left.splice(low, 0, item);
}
