import { resolve } from 'node:path';

import { sha256 } from '../disk/hash.ts';
import { mergeSettings } from '../plan/donor-settings.ts';
import type { SettingsFlags } from '../plan/donor-settings.ts';
import type { Facts } from '../plan/facts.ts';
import { planInstall } from '../plan/plan-install.ts';
import type { Planned } from '../plan/plan.ts';
import { inspectComfyui } from '../tree/inspect-comfyui.ts';
import { findPython } from '../tree/find-python.ts';
import { loadPayload } from '../tree/load-payload.ts';
import { locateComfyui } from '../tree/locate-comfyui.ts';
import { changeTree, tellChange } from './change-tree.ts';
import type { Host, Report } from './host.ts';
import { texts } from './texts.ts';

export interface InstallOptions extends SettingsFlags {
  dir: string;
  command: 'install' | 'upgrade';
  force: boolean;
  dryRun: boolean;
  examples: boolean;
  baseDirectory: string | undefined;
  customNodes: string | undefined;
  port: number;
}

/** `install` and `upgrade`: the same difference between wanted and there, but `upgrade` wants something to be installed. */
export async function install(host: Host, options: InstallOptions): Promise<Report> {
  const { dir, command, force, dryRun, examples, port } = options;
  const located = locateComfyui(host.disk, dir);
  if (!located.ok) return located;
  const whole = loadPayload(host.disk, host.payloadFolder, host.version);
  const payload = { ...whole, files: whole.files.filter(({ kind }) => examples || kind !== 'example') };
  const now = host.now().toISOString();
  // One for the look before and for the one under the lock.
  const newToken = host.makeToken();
  let token: string | undefined;
  let isNewToken = false;
  const planOf = (facts: Facts): Planned => {
    const { settings, receipt } = facts.state;
    const needsToken = receipt.kind !== 'ok' || settings === undefined;
    const merged = mergeSettings(
      settings,
      facts.places.state,
      options,
      needsToken ? () => newToken : undefined,
    );
    if (!merged.ok) return merged;
    token = merged.token;
    isNewToken = merged.text !== undefined;
    const content = merged.text === undefined ? undefined : Buffer.from(merged.text);
    return planInstall(facts, payload, {
      command,
      force,
      examples,
      now,
      settings: content && {
        spot: { place: 'state', path: 'donor.json' },
        kind: 'settings',
        content,
        sha256: sha256(content),
        mode: 0o600,
      },
    });
  };
  const changed = changeTree({
    host,
    root: located.root,
    force,
    dryRun,
    inspect: () => inspectComfyui(host.disk, located, options, payload),
    plan: planOf,
  });
  if (!changed.ok) return changed;

  const { facts, what } = changed;
  const { outcome, data } = await tellChange({ host, root: located.root, port }, changed);
  const python = findPython(host.disk, located.root, located.portable);
  const shown = {
    host,
    facts,
    python,
    baseDirectory: options.baseDirectory === undefined ? undefined : resolve(options.baseDirectory),
    token: isNewToken ? token : undefined,
    hasToken: token !== undefined,
    port,
  };
  return {
    ok: true,
    lines: texts.installed({ ...shown, ...outcome, command }),
    data: {
      ...data,
      customNodes: facts.places['custom-nodes'],
      version: host.version,
      comfyuiVersion: facts.version ?? null,
      start: texts.startCommand(shown),
      ...(what !== 'dry-run' && { token: token ?? null, server: texts.serverLine(shown, token) }),
    },
  };
}
