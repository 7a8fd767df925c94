import { planUninstall } from '../plan/plan-uninstall.ts';
import { inspectComfyui } from '../tree/inspect-comfyui.ts';
import { locateComfyui } from '../tree/locate-comfyui.ts';
import { changeTree, tellChange } from './change-tree.ts';
import type { Host, Report } from './host.ts';
import { texts } from './texts.ts';

export interface UninstallOptions {
  dir: string;
  force: boolean;
  dryRun: boolean;
  port: number;
}

/** `uninstall`: every byte as it was. */
export async function uninstall(host: Host, { dir, force, dryRun, port }: UninstallOptions): Promise<Report> {
  const located = locateComfyui(host.disk, dir);
  if (!located.ok) return located;
  const changed = changeTree({
    host,
    root: located.root,
    force,
    dryRun,
    inspect: () =>
      inspectComfyui(
        host.disk,
        located,
        { baseDirectory: undefined, customNodes: undefined },
        // What is there is the receipt's to say, whichever version this is.
        { version: host.version, files: [] },
      ),
    plan: (facts) => planUninstall(facts, { force }),
  });
  if (!changed.ok) {
    const { refusal, recovered } = changed;
    const isUndone = recovered.ok && recovered.what !== 'nothing' && refusal.code === 'not-installed';
    if (!isUndone) return { ok: false, refusal };
    return {
      ok: true,
      lines: texts.onlyRecovered(recovered),
      data: { what: 'done', comfyui: located.root, recovered: recovered.what, plan: [], notes: [] },
    };
  }
  const { outcome, data } = await tellChange({ host, root: located.root, port }, changed);
  return { ok: true, lines: texts.uninstalled({ ...outcome, root: located.root }), data };
}
