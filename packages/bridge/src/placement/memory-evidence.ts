/**
 * What runs have shown about memory: how much a workflow used at a size, and with how much it went out of memory. A
 * machine with no more than that is not tried again, for that size and any larger; until the evidence is a day old, or a
 * run has succeeded with as little. Pure of clocks: callers give the time. Bytes throughout.
 */
export interface MemoryEvidence {
  /** `usable`: what ComfyUI could have used on that machine; 0 when unknown, which is no evidence. */
  wentOut(work: SizedWork, usable: number, at: number): void;
  wentWell(work: SizedWork, usable: number, peak: number, at: number): void;
  /** More than this is needed; 0 while nothing speaks against any machine. */
  needsMoreThan(work: SizedWork, at: number): number;
  isTooSmall(work: SizedWork, usable: number, at: number): boolean;
  /** The most that a run of this size has been seen to use; undefined while none was watched. */
  peak(work: SizedWork): number | undefined;
  takeChanges(): Map<string, string>;
  restore(rows: ReadonlyMap<string, string>): void;
}

interface SizedWork {
  workflow: string;
  sizeClass: number;
}

interface Seen {
  sizeClass: number;
  /** The most with which it went out of memory. */
  out: number;
  outAt: number;
  peak: number;
}

const evidenceMs = 24 * 60 * 60 * 1_000;
/** Machines of one size differ by what their desktops take. */
const margin = 1.1;
/** Whether what went out of memory with `less` bytes is worth a try with `more`. */
export function isClearlyMore(more: number, less: number): boolean {
  return more > less * margin;
}

const maxWorkflows = 5_000;
const maxSizes = 40;

export function createMemoryEvidence(): MemoryEvidence {
  const byWorkflow = new Map<string, Seen[]>();
  const changed = new Set<string>();

  function seenAt({ workflow, sizeClass }: SizedWork): Seen {
    const sizes = byWorkflow.get(workflow) ?? [];
    let seen = sizes.find((candidate) => candidate.sizeClass === sizeClass);
    if (seen === undefined) {
      seen = { sizeClass, out: 0, outAt: 0, peak: 0 };
      sizes.push(seen);
      if (sizes.length > maxSizes) sizes.shift();
    }
    byWorkflow.delete(workflow);
    byWorkflow.set(workflow, sizes);
    dropOldest();
    changed.add(workflow);
    return seen;
  }

  function dropOldest(): void {
    for (const oldest of byWorkflow.keys()) {
      if (byWorkflow.size <= maxWorkflows) return;
      byWorkflow.delete(oldest);
    }
  }

  function needsMoreThan({ workflow, sizeClass }: SizedWork, at: number): number {
    let most = 0;
    for (const seen of byWorkflow.get(workflow) ?? []) {
      if (seen.sizeClass <= sizeClass && isRecent(seen, at)) most = Math.max(most, seen.out);
    }
    return most;
  }

  return {
    wentOut(work, usable, at) {
      if (!(usable > 0)) return;
      const seen = seenAt(work);
      seen.out = isRecent(seen, at) ? Math.max(seen.out, usable) : usable;
      seen.outAt = at;
    },
    wentWell(work, usable, peak, at) {
      const isNews = peak > 0 || needsMoreThan(work, at) > 0;
      if (!isNews) return;
      const seen = seenAt(work);
      seen.peak = Math.max(peak, seen.peak * 0.98);
      if (!(usable > 0)) return;
      // It fits there, and so does everything smaller.
      for (const other of byWorkflow.get(work.workflow) ?? []) {
        if (other.sizeClass <= work.sizeClass && other.out * margin >= usable) other.out = 0;
      }
    },
    needsMoreThan,
    isTooSmall(work, usable, at) {
      const least = needsMoreThan(work, at);
      return least > 0 && usable > 0 && !isClearlyMore(usable, least);
    },
    peak({ workflow, sizeClass }) {
      const seen = byWorkflow.get(workflow)?.find((candidate) => candidate.sizeClass === sizeClass);
      return seen === undefined || seen.peak === 0 ? undefined : Math.round(seen.peak);
    },
    takeChanges() {
      const rows = new Map<string, string>();
      for (const workflow of changed) {
        const sizes = byWorkflow.get(workflow) ?? [];
        const plain = sizes.map(({ sizeClass, out, outAt, peak }) => [sizeClass, out, outAt, peak]);
        rows.set(workflow, JSON.stringify(plain));
      }
      changed.clear();
      return rows;
    },
    restore(rows) {
      for (const [workflow, text] of rows) {
        const sizes = parseSizes(text);
        if (sizes.length > 0) byWorkflow.set(workflow, sizes);
      }
      dropOldest();
    },
  };
}

/** Neither older than a day, nor from a clock that was ahead. */
function isRecent({ outAt }: Seen, at: number): boolean {
  return Math.abs(at - outAt) < evidenceMs;
}

function parseSizes(text: string): Seen[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(rows)) return [];
  return rows.slice(0, maxSizes).flatMap((row: unknown) => {
    if (!Array.isArray(row)) return [];
    const [sizeClass, out, outAt, peak]: unknown[] = row;
    const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
    if (!isNumber(sizeClass) || !isNumber(out) || !isNumber(outAt) || !isNumber(peak)) return [];
    return [{ sizeClass: Number(sizeClass), out: Number(out), outAt: Number(outAt), peak: Number(peak) }];
  });
}
