import { applyPlan } from '../apply/apply-plan.ts';
import { describeDiskError } from '../apply/describe-disk-error.ts';
import { acquireLock, holdsLock, releaseLock } from '../apply/lock.ts';
import { recover } from '../apply/recover.ts';
import type { Recovered } from '../apply/recover.ts';
import { createWorkSite } from '../apply/work-site.ts';
import type { WorkSite } from '../apply/work-site.ts';
import { errorCode, isDiskError } from '../disk/error-code.ts';
import { isTemporaryName } from '../disk/write-whole.ts';
import { describePlan } from '../plan/describe-plan.ts';
import type { Facts } from '../plan/facts.ts';
import { isIdle } from '../plan/plan.ts';
import type { Plan, Planned } from '../plan/plan.ts';
import { refusals } from '../plan/refusals.ts';
import type { Refusal } from '../plan/refusals.ts';
import type { Inspected } from '../tree/inspect-comfyui.ts';
import { isPassingStateFolder, stateFiles } from '../plan/state-files.ts';
import { findServer } from './find-server.ts';
import type { Host } from './host.ts';

export interface Change {
  host: Host;
  root: string;
  force: boolean;
  dryRun: boolean;
  inspect(): Inspected;
  plan(facts: Facts): Planned;
}

export type Changed =
  | {
      ok: true;
      facts: Facts;
      plan: Plan;
      planLines: string[];
      what: 'dry-run' | 'idle' | 'done';
      recovered: Recovered;
      untidy: string | undefined;
    }
  | { ok: false; refusal: Refusal; recovered: Recovered };

const nothing: Recovered = { ok: true, what: 'nothing' };

/**
 * One run that changes a ComfyUI. It is looked at and planned first without touching anything, so that a refusal leaves no trace;
 * then again under the lock, after ending what an interrupted run left.
 */
export function changeTree(change: Change): Changed {
  const early = lookAndPlan(change);
  if (change.dryRun || (!early.ok && !hasLeftOvers(change)))
    return early.ok ? early : { ...early, recovered: nothing };
  const site = createWorkSite(change.host.disk, change.root);
  try {
    return underLock(change, site);
  } catch (error) {
    if (!isDiskError(error)) throw error;
    const isRights = ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error));
    const refusal = isRights
      ? refusals.unwritable([change.root])
      : refusals.rolledBack(describeDiskError(error));
    return { ok: false, recovered: nothing, refusal };
  } finally {
    releaseQuietly(site);
  }
}

function underLock(change: Change, site: WorkSite): Changed {
  const { host, force } = change;
  let recovered = nothing;
  // Ending an interrupted uninstall takes the state folder away, and the lock with it.
  while (!holdsLock(site)) {
    const busy = acquireLock(site, host.now());
    if (busy !== undefined) return { ok: false, refusal: busy, recovered };
    const now = recover(site, { force });
    if (!now.ok) return { ok: false, refusal: now.refusal, recovered };
    if (now.what !== 'nothing') recovered = now;
  }
  const planned = lookAndPlan(change);
  if (!planned.ok) return { ...planned, recovered };
  const { facts, plan } = planned;
  const installed = facts.state.receipt.kind === 'ok' ? facts.state.receipt.value : undefined;
  if (isIdle(plan, installed)) return { ...planned, what: 'idle', recovered };
  const applied = applyPlan(site, plan, facts.places, host.now());
  if (!applied.ok) return { ok: false, refusal: applied.refusal, recovered };
  return { ...planned, what: 'done', recovered, untidy: applied.untidy };
}

function lookAndPlan({
  inspect,
  plan: makePlan,
}: Change): Extract<Changed, { ok: true }> | { ok: false; refusal: Refusal } {
  const inspected = inspect();
  if (!inspected.ok) return inspected;
  const { facts } = inspected;
  const planned = makePlan(facts);
  if (!planned.ok) return planned;
  const planLines = describePlan(planned.plan, facts.places);
  return {
    ok: true,
    facts,
    plan: planned.plan,
    planLines,
    what: 'dry-run',
    recovered: nothing,
    untidy: undefined,
  };
}

/** What is told of a run that changed a ComfyUI, in words (`outcome`) and as data; `port`: where that ComfyUI listens. */
export async function tellChange(
  { host, root, port }: { host: Host; root: string; port: number },
  { what, plan: { notes }, planLines, recovered, untidy }: Extract<Changed, { ok: true }>,
) {
  const server = what === 'done' ? await findServer(host, root, port) : 'none';
  return {
    outcome: { what, planLines, recovered, untidy, notes, server },
    data: {
      what,
      comfyui: root,
      recovered: recovered.ok ? recovered.what : 'nothing',
      plan: planLines,
      notes,
      running: server,
      untidy: untidy ?? null,
    },
  };
}

/** Whether an earlier run ended in the middle, be it before it wrote its journal. */
function hasLeftOvers({ host: { disk }, root, inspect }: Change): boolean {
  if (disk.list(root).some(isPassingStateFolder)) return true;
  const inspected = inspect();
  if (!inspected.ok) return false;
  const { exists, made, names, receipt, journal } = inspected.facts.state;
  if (journal.phase !== 'none') return true;
  const left = names.some(
    (name) => name === stateFiles.lock || name === stateFiles.nextReceipt || isTemporaryName(name),
  );
  return exists && (left || (made && receipt.kind === 'none'));
}

/** What cannot be released is left: the process ends, and the lock with it. */
function releaseQuietly(site: WorkSite): void {
  try {
    releaseLock(site);
  } catch (error) {
    if (!isDiskError(error)) throw error;
  }
}
