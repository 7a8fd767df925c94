import { findHolder } from '../apply/lock.ts';
import { createWorkSite } from '../apply/work-site.ts';
import type { Facts } from '../plan/facts.ts';
import type { Refusal } from '../plan/refusals.ts';
import { inspectComfyui } from '../tree/inspect-comfyui.ts';
import { findPython } from '../tree/find-python.ts';
import { locateComfyui } from '../tree/locate-comfyui.ts';
import type { Host } from './host.ts';

export type Looked =
  | { ok: true; facts: Facts; python: string; holder: { pid: number; since: string } | undefined }
  | { ok: false; refusal: Refusal };

/** What `status` and `doctor` start from. Changes nothing, and needs no lock. */
export function lookAtComfyui(host: Host, dir: string): Looked {
  const located = locateComfyui(host.disk, dir);
  if (!located.ok) return located;
  const wishes = { baseDirectory: undefined, customNodes: undefined };
  const inspected = inspectComfyui(host.disk, located, wishes, { version: host.version, files: [] });
  if (!inspected.ok) return inspected;
  const { facts } = inspected;
  const site = createWorkSite(host.disk, located.root);
  const python = findPython(host.disk, located.root, located.portable);
  return { ok: true, facts, python, holder: facts.state.exists ? findHolder(site, host.now()) : undefined };
}
