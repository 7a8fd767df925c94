import { join } from 'node:path';

import type { Recovered } from '../apply/recover.ts';
import type { Facts } from '../plan/facts.ts';
import { launcherFile, packFolder } from '../plan/spot.ts';
import type { FoundServer } from './find-server.ts';
import type { Host } from './host.ts';

interface Shown {
  host: Host;
  /** ComfyUI's own option, when custom_nodes is there. */
  baseDirectory: string | undefined;
  facts: Facts;
  python: string;
  /** Only when it is new; otherwise it is not shown. */
  token: string | undefined;
  hasToken: boolean;
  port: number;
}

interface Outcome {
  what: 'dry-run' | 'idle' | 'done';
  planLines: readonly string[];
  notes: readonly string[];
  recovered: Recovered;
  untidy: string | undefined;
  server: FoundServer;
}

/** Every sentence of install and uninstall that is not a refusal. */
export const texts = { installed, uninstalled, onlyRecovered, startCommand, serverLine };

function installed(outcome: Outcome & Shown & { command: 'install' | 'upgrade' }): string[] {
  const { what, planLines, facts, host, command } = outcome;
  if (what === 'dry-run') return dryRun(planLines, facts, outcome.notes);
  const head = {
    idle: `Already installed (${host.version}) in ${facts.root}: nothing to do.`,
    done: `Comfy Bridge ${host.version} is ${command === 'upgrade' ? 'up to date' : 'installed'} in ${facts.root}.`,
  }[what];
  return [
    ...recoveredLines(outcome.recovered),
    head,
    ...outcome.notes,
    ...linkedLines(facts),
    ...ownerLines(outcome),
    ...untidyLines(outcome.untidy),
    ...restartLines(outcome.server),
    '',
    `Start it:      ${startCommand(outcome)}`,
    ...tokenLines(outcome),
    `To go back:    comfy-bridge-patch uninstall ${quote(facts.root)}`,
  ];
}

function uninstalled(outcome: Outcome & { root: string }): string[] {
  const { what, planLines, root } = outcome;
  if (what === 'dry-run') return ['Would do:', ...planLines.map((line) => `  ${line}`), ...outcome.notes];
  return [
    ...recoveredLines(outcome.recovered),
    `Comfy Bridge is gone from ${root}; ${outcome.notes.length === 0 ? 'everything' : 'all but the following'} is as it was before.`,
    ...outcome.notes,
    ...untidyLines(outcome.untidy),
    ...restartLines(outcome.server),
  ];
}

function onlyRecovered(recovered: Recovered): string[] {
  return [...recoveredLines(recovered), 'Nothing of comfy-bridge is installed now.'];
}

function dryRun(planLines: readonly string[], { state }: Facts, notes: readonly string[]): string[] {
  const first =
    state.journal.phase === 'none'
      ? []
      : ['First an interrupted run would be ended; the rest may then differ.'];
  if (planLines.length === 0) return [...first, 'Would do nothing.', ...notes];
  return [...first, 'Would do:', ...planLines.map((line) => `  ${line}`), ...notes];
}

/** For the shell of this platform. ComfyUI's own arguments can follow it. */
function startCommand({ facts, python, hasToken, host, baseDirectory, port }: Omit<Shown, 'token'>): string {
  const command = [python, join(facts.root, launcherFile)].map(quote).join(' ');
  // A quoted program is a text to PowerShell; cmd.exe takes it as it is, as the portable build's own .bat files do.
  const standalone = facts.layout === 'portable' && host.isWindows ? ' --windows-standalone-build' : '';
  const base = baseDirectory === undefined ? '' : ` --base-directory ${quote(baseDirectory)}`;
  const at = port === 8188 ? '' : ` --port ${port}`;
  return `${command}${standalone}${base}${hasToken ? ' --listen' : ''}${at}`;
}

/** What the operator of the bridge adds. */
function serverLine({ host, port }: Pick<Shown, 'host' | 'port'>, token: string | undefined): string {
  const name = host.hostName.replaceAll(/[^\w-]+/g, '-') || 'donor';
  return `COMFYUI_SERVERS="${name}=http://${host.hostName}:${port}${token === undefined ? '' : `;token=${token}`}"`;
}

function tokenLines(shown: Shown): string[] {
  if (!shown.hasToken)
    return [
      'No token:      only this machine itself may use it; a bridge elsewhere needs one (install --token …).',
    ];
  if (shown.token === undefined)
    return ['The token:     as before; comfy-bridge-patch status --show-token prints it.'];
  return [
    `For the bridge: ${serverLine(shown, shown.token)}`,
    '               (a secret: whoever has it may run prompts here)',
  ];
}

function linkedLines({ linked, places }: Facts): string[] {
  return linked.includes('custom-nodes')
    ? [`custom_nodes is a link: the pack is in ${join(places['custom-nodes'], packFolder)}.`]
    : [];
}

function ownerLines({ host, facts }: Shown): string[] {
  const owner = host.disk.look(join(facts.root, 'main.py'))?.owner;
  // What root makes is given to the owner of the folder.
  if (host.userId === undefined || host.userId === 0 || owner === undefined || owner === host.userId)
    return [];
  return [
    `Careful: ComfyUI belongs to another user (${owner}) than this run (${host.userId}). If it also runs as that user, it cannot read donor.json: uninstall, and install as that user.`,
  ];
}

function recoveredLines(recovered: Recovered): string[] {
  if (!recovered.ok || recovered.what === 'nothing') return [];
  const how = recovered.what === 'undone' ? 'taken back' : 'brought to its end';
  return [`An ${recovered.command} that was interrupted (${recovered.startedAt}) was ${how} first.`];
}

function untidyLines(untidy: string | undefined): string[] {
  return untidy === undefined
    ? []
    : [`Some files that were set aside could not be removed yet: ${untidy}. Run this again later.`];
}

function restartLines(server: FoundServer): string[] {
  if (server === 'this') return ['This ComfyUI is running: restart it for the change to count.'];
  return server === 'some' ? ['A ComfyUI is running on this machine: if it is this one, restart it.'] : [];
}

function quote(text: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(text) ? text : `"${text.replaceAll('"', String.raw`\"`)}"`;
}
