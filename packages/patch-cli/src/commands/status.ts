import { parseSettings } from '../plan/donor-settings.ts';
import { judgeFiles } from '../plan/file-states.ts';
import { refusals } from '../plan/refusals.ts';
import { lookAtComfyui } from './look-at.ts';
import type { Host, Report } from './host.ts';

/** `status`: what is installed, in a few lines. The token only when asked for. */
export function status(host: Host, { dir, showToken }: { dir: string; showToken: boolean }): Report {
  const looked = lookAtComfyui(host, dir);
  if (!looked.ok) return looked;
  const { facts } = looked;
  const { receipt, journal, settings } = facts.state;
  const receiptPath = `${facts.places.state}/receipt.json`;
  if (receipt.kind === 'damaged') return { ok: false, refusal: refusals.damaged(receiptPath) };
  if (receipt.kind === 'newer') return { ok: false, refusal: refusals.newer(receiptPath) };
  const comfyui = { root: facts.root, version: facts.version ?? null, layout: facts.layout };
  const interrupted =
    journal.phase === 'none'
      ? []
      : ['An interrupted run is waiting: install, upgrade or uninstall ends it first.'];
  if (receipt.kind === 'none')
    return {
      ok: true,
      lines: [
        `Not installed in ${facts.root} (ComfyUI ${facts.version ?? 'of unknown version'}).`,
        ...interrupted,
      ],
      data: { installed: false, comfyui, interrupted: journal.phase !== 'none' },
    };

  const { value } = receipt;
  const files = judgeFiles(value, facts);
  const parsed = settings === undefined ? undefined : parseSettings(settings)?.['token'];
  const token = typeof parsed === 'string' ? parsed : undefined;
  return {
    ok: true,
    lines: [
      `Comfy Bridge ${value.version} is installed in ${facts.root} (since ${value.installedAt}).`,
      `ComfyUI ${facts.version ?? 'of unknown version'}; custom_nodes: ${facts.places['custom-nodes']}`,
      `Files: ${files.whole} as installed, ${files.edited.length} edited, ${files.missing.length} missing${files.edited.length + files.missing.length > 0 ? ' (doctor names them)' : ''}.`,
      showToken
        ? `Token: ${token ?? 'none'}`
        : `Token: ${token === undefined ? 'none' : 'set (--show-token prints it)'}`,
      ...interrupted,
    ],
    data: {
      installed: true,
      version: value.version,
      installedAt: value.installedAt,
      comfyui,
      customNodes: facts.places['custom-nodes'],
      files,
      hasToken: token !== undefined,
      ...(showToken && { token: token ?? null }),
      interrupted: journal.phase !== 'none',
    },
  };
}
