import type { BridgeStreamEvents } from '@comfy-bridge/protocol';

/** A backend as `GET /api/bridge/backends` lists it, and events tell it. */
export type FleetBackend = BridgeStreamEvents['backend'];

/** What is wrong or unusual, most urgent first; `key` is a text of the view. */
export interface Remark {
  tone: 'bad' | 'warn' | 'quiet';
  key: RemarkKey;
  values: Readonly<Record<string, string | number>>;
  /** ISO times in `values`, by name: told as moments. */
  moments: Readonly<Record<string, string>>;
}

export type RemarkKey =
  | 'why-lost'
  | 'why-quarantined'
  | 'why-doubted'
  | 'why-resting'
  | 'why-on-trial'
  | 'why-connecting'
  | 'why-no-offer'
  | 'why-suspected'
  | 'why-leaving'
  | 'why-draining'
  | 'why-drained'
  | 'why-paused'
  | 'why-owner-command'
  | 'why-owner-work'
  | 'why-owner-schedule'
  | 'why-owner-until'
  | 'why-foreign';

/** Lower is more urgent. */
export function urgencyOf(backend: FleetBackend): number {
  const { status } = backend;
  if (status === 'lost') return 0;
  if (status === 'quarantined') return 1;
  if (backend.trust === 'open') return 2;
  if (status === 'connecting') return 3;
  if (hasDoubts(backend)) return 4;
  if (status === 'leaving' || status === 'draining') return 5;
  return status === 'paused' ? 6 : 7;
}

function hasDoubts({ offer_problem: problem, suspicions, doubts, trust }: FleetBackend): boolean {
  return problem !== null || suspicions.length > 0 || doubts.length > 0 || trust === 'half-open';
}

/** Those in trouble first; among equals by name, as people count. */
export function sortBackends(backends: readonly FleetBackend[]): FleetBackend[] {
  return backends.toSorted(
    (a, b) => urgencyOf(a) - urgencyOf(b) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

export interface FleetSummary {
  all: number;
  ready: number;
  lost: number;
  connecting: number;
  /** Paused, draining, leaving, quarantined: there, and taking nothing new. */
  away: number;
  running: number;
  /** On a machine, behind another. */
  waitingThere: number;
}

export function summarise(backends: readonly FleetBackend[]): FleetSummary {
  const summary = { all: 0, ready: 0, lost: 0, connecting: 0, away: 0, running: 0, waitingThere: 0 };
  for (const backend of backends) {
    const { status } = backend;
    summary.all += 1;
    if (status === 'ready' || status === 'lost' || status === 'connecting') summary[status] += 1;
    else summary.away += 1;
    const running = backend.jobs.filter(({ executing_since }) => executing_since !== null).length;
    summary.running += running;
    summary.waitingThere += backend.jobs.length - running;
  }
  return summary;
}

/** Everything that an operator should know of a backend beside its state, most urgent first. */
export function remarksOn(backend: FleetBackend): Remark[] {
  const { status, since, reason, trust, offer_problem: problem, suspicions, mode, jobs } = backend;
  const remarks: Remark[] = [];
  const add = (
    tone: Remark['tone'],
    key: RemarkKey,
    values: Remark['values'] = {},
    moments: Remark['moments'] = {},
  ) => remarks.push({ tone, key, values, moments });

  if (backend.quarantine)
    add('bad', 'why-quarantined', { reason: backend.quarantine.reason }, { since: backend.quarantine.since });
  else if (backend.doubts.length > 0) add('warn', 'why-doubted', { count: backend.doubts.length });
  if (status === 'lost' || (status === 'leaving' && since !== null && reason !== null && !isOwners(backend)))
    add('bad', 'why-lost', { reason: reason ?? '' }, since === null ? {} : { since });
  if (trust === 'open') add('bad', 'why-resting');
  if (trust === 'half-open') add('warn', 'why-on-trial');
  if (status === 'connecting') add('warn', 'why-connecting');
  if (problem !== null) add('warn', 'why-no-offer', { reason: problem });
  if (suspicions.length > 0) add('warn', 'why-suspected', { count: suspicions.length });
  if (status === 'leaving') add('warn', 'why-leaving', { count: jobs.length });
  else if (mode === 'draining')
    add('warn', jobs.length === 0 ? 'why-drained' : 'why-draining', { count: jobs.length });
  else if (mode === 'paused') add('quiet', 'why-paused');
  if (isOwners(backend)) addOwnersPause(backend, add);
  if (backend.foreign_prompts > 0 && status !== 'lost')
    add('quiet', 'why-foreign', { count: backend.foreign_prompts });
  return remarks;
}

function isOwners({ lending }: FleetBackend): boolean {
  return lending?.state === 'paused';
}

function addOwnersPause(
  { lending }: FleetBackend,
  add: (tone: Remark['tone'], key: RemarkKey, values?: Remark['values'], moments?: Remark['moments']) => void,
): void {
  const keys = {
    command: 'why-owner-command',
    'owner-work': 'why-owner-work',
    schedule: 'why-owner-schedule',
  } as const;
  add('quiet', keys[lending?.reason ?? 'command']);
  const until = lending?.until ?? null;
  if (until !== null) add('quiet', 'why-owner-until', {}, { until });
}

/** Share of attempts there that ended well; null while there were none. */
export function successRate({ success }: Pick<FleetBackend, 'success'>): number | null {
  const all = success.succeeded + success.failed + success.lost;
  return all === 0 ? null : success.succeeded / all;
}

export interface MemoryNow {
  usedBytes: number | null;
  totalBytes: number | null;
  /** After unloading models of its own. */
  usableBytes: number | null;
}

export function memoryOf({ memory, free_memory_bytes: free }: FleetBackend): MemoryNow {
  const { total_bytes: total, usable_bytes: usable } = memory;
  return {
    usedBytes: total === null || free === null ? null : Math.max(0, total - free),
    totalBytes: total,
    usableBytes: usable,
  };
}

/** By name, tag, address, or a workflow that it runs. */
export function matchesText(backend: FleetBackend, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  const { name, address, tags, jobs, gpu } = backend;
  return [name, address, gpu ?? '', ...tags, ...jobs.map(({ workflow }) => workflow)].some((part) =>
    part.toLowerCase().includes(wanted),
  );
}
