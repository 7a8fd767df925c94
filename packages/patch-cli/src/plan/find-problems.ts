import { checkSettings } from './check-settings.ts';
import { compareVersions } from './compare-versions.ts';
import { oldestComfyui } from './check-tree.ts';
import { parseSettings } from './donor-settings.ts';
import type { Facts, TreeNode } from './facts.ts';
import { judgeFiles } from './file-states.ts';
import type { Receipt } from './receipt.ts';
import { packFolder } from './spot.ts';

/** `error`: it does not work, or is not locked. `warning`: something is not as it should be. `info`: good to know. */
export interface Finding {
  severity: 'error' | 'warning' | 'info';
  text: string;
  fix: string;
}

/** What doctor knows besides the tree. */
export interface Surroundings {
  ourVersion: string;
  holder: { pid: number; since: string } | undefined;
  python: { command: string; version: string | undefined };
  /** Of comfyui-frontend-package: asked for in requirements.txt, and found in site-packages. */
  frontend: { wanted: string | undefined; found: string | undefined; looked: boolean };
  server: 'none' | 'this' | 'other' | 'some';
  port: number;
  isWindows: boolean;
}

/** Everything that is worth a word, worst first. */
export function findProblems(facts: Facts, around: Surroundings): Finding[] {
  const { receipt } = facts.state;
  const found = [
    ...stateProblems(facts, around),
    ...(receipt.kind === 'ok' ? installedProblems(facts, receipt.value, around) : []),
    ...treeProblems(facts),
    ...pythonProblems(around),
    ...serverProblems(around),
  ];
  const rank = { error: 0, warning: 1, info: 2 };
  return found.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function error(text: string, fix: string): Finding {
  return { severity: 'error', text, fix };
}
function warning(text: string, fix: string): Finding {
  return { severity: 'warning', text, fix };
}
function info(text: string, fix = 'Nothing to do.'): Finding {
  return { severity: 'info', text, fix };
}

function stateProblems({ state, places, root }: Facts, { holder }: Surroundings): Finding[] {
  const found: Finding[] = [];
  const path = `${places.state}/receipt.json`;
  if (holder !== undefined)
    found.push(
      info(
        `Another comfy-bridge-patch is at work (process ${holder.pid}, since ${holder.since}).`,
        'Wait for it.',
      ),
    );
  else if (state.journal.phase !== 'none')
    found.push(
      error(
        'A run was interrupted, and is neither done nor taken back.',
        `Run: comfy-bridge-patch install "${root}" (or uninstall)`,
      ),
    );
  if (state.receipt.kind === 'damaged')
    found.push(
      error(
        `${path} is damaged.`,
        'Put it back from a backup, or move .comfy-bridge and custom_nodes/comfy-bridge away and install anew.',
      ),
    );
  if (state.receipt.kind === 'newer')
    found.push(error(`${path} is of a newer version.`, 'Use that comfy-bridge-patch.'));
  if (state.receipt.kind === 'none')
    found.push(error('Nothing is installed.', `Run: comfy-bridge-patch install "${root}"`));
  return found;
}

function installedProblems(facts: Facts, receipt: Receipt, around: Surroundings): Finding[] {
  const { root, version, commit } = facts;
  const files = judgeFiles(receipt, facts);
  const again = `Run: comfy-bridge-patch install "${root}"`;
  const found: Finding[] = [
    ...files.missing.map((path) => error(`Missing: ${path}`, again)),
    ...files.edited.map((path) =>
      warning(`Edited since it was installed: ${path}`, `Keep a copy, then: ${again.slice(5)} --force`),
    ),
    ...files.lostOriginals.map((path) =>
      warning(
        `What was at ${path} before is lost: uninstall cannot put it back.`,
        'Put .comfy-bridge/originals back from a backup.',
      ),
    ),
    ...foreignFiles(facts.pack ?? [], receipt).map((path) =>
      info(
        `Not ours: ${facts.places['custom-nodes']}/${path}`,
        'Move it out if it is not wanted; uninstall keeps it.',
      ),
    ),
    ...settingsProblems(facts, around),
  ];
  if (compareVersions(receipt.version, around.ourVersion) < 0)
    found.push(
      warning(
        `Version ${receipt.version} is installed; this one is ${around.ourVersion}.`,
        `Run: comfy-bridge-patch upgrade "${root}"`,
      ),
    );
  if (version !== receipt.comfyui.version)
    found.push(
      info(
        `ComfyUI went from ${receipt.comfyui.version ?? 'unknown'} to ${version ?? 'unknown'} since: that is fine.`,
      ),
    );
  else if (commit !== receipt.comfyui.commit)
    found.push(info('ComfyUI was updated since (another commit): that is fine.'));
  return found;
}

function settingsProblems({ state, places }: Facts, { isWindows }: Surroundings): Finding[] {
  const path = `${places.state}/donor.json`;
  if (state.settings === undefined)
    return [
      error(
        `${path} is missing: without a token this machine is not locked.`,
        'Run install again: it makes one with a new token.',
      ),
    ];
  const settings = parseSettings(state.settings);
  if (settings === undefined)
    return [error(`${path} is not a JSON object.`, 'Mend it; README.md of the pack names its keys.')];
  const found: Finding[] = [];
  if (!isWindows && state.settingsMode !== undefined && (state.settingsMode & 0o077) !== 0)
    found.push(
      warning(`Others on this machine can read ${path}, and the token in it.`, `chmod 600 "${path}"`),
    );
  for (const { key, says } of checkSettings(settings))
    found.push(error(`The pack does not start with "${key}" in ${path}.`, `It is ${says}.`));
  if (settings['token'] === undefined)
    found.push(
      warning(
        'There is no token: only this machine itself may use it.',
        'For a bridge elsewhere: install --token … (or delete donor.json and install again).',
      ),
    );
  return found;
}

function treeProblems({ copies, disabled, places, version, unwritable, pack, state }: Facts): Finding[] {
  const customNodes = places['custom-nodes'];
  const found = copies.map((name) =>
    error(
      `Another copy of the pack: ${customNodes}/${name}. ComfyUI loads both.`,
      'Move that folder out of custom_nodes.',
    ),
  );
  if (disabled)
    found.push(
      pack === undefined && state.receipt.kind === 'ok'
        ? error(
            `The pack is disabled: ${customNodes}/${packFolder}.disabled`,
            'Rename it back to comfy-bridge, or enable it in the manager.',
          )
        : warning(
            `A disabled copy lies in ${customNodes}/${packFolder}.disabled.`,
            'Delete it if nobody needs it.',
          ),
    );
  if (version !== undefined && compareVersions(version, oldestComfyui) < 0)
    found.push(error(`ComfyUI ${version} is too old.`, `Update it to ${oldestComfyui} or later.`));
  if (version === undefined) found.push(info('ComfyUI does not say which version it is.'));
  if (unwritable.length > 0)
    found.push(
      warning(
        `Not writable for this user: ${unwritable.join(', ')}`,
        'Upgrade and uninstall as the user who owns them.',
      ),
    );
  return found;
}

function pythonProblems({ python, frontend }: Surroundings): Finding[] {
  const found: Finding[] = [];
  if (python.version === undefined)
    found.push(
      warning(
        `${python.command} could not be asked for its version.`,
        'Start ComfyUI with the Python that it was installed with.',
      ),
    );
  else if (compareVersions(python.version, '3.9.0') < 0)
    found.push(
      error(
        `${python.command} is Python ${python.version}; 3.9 or later is needed.`,
        'Use a newer Python for ComfyUI.',
      ),
    );
  const { wanted, found: there, looked } = frontend;
  if (looked && there === undefined && wanted !== undefined)
    found.push(
      warning(
        'comfyui-frontend-package is not installed with that Python.',
        'Run: pip install -r requirements.txt',
      ),
    );
  if (there !== undefined && wanted !== undefined && compareVersions(there, wanted) < 0)
    found.push(
      warning(
        `comfyui-frontend-package is ${there}; ComfyUI asks for ${wanted}.`,
        'Run: pip install -r requirements.txt',
      ),
    );
  return found;
}

function serverProblems({ server, port }: Surroundings): Finding[] {
  if (server === 'this')
    return [info(`This ComfyUI is running on port ${port}; it has loaded what was there when it started.`)];
  if (server === 'other')
    return [
      warning(
        `Another ComfyUI has port ${port}.`,
        'Start this one with --port, and tell the bridge that port.',
      ),
    ];
  return server === 'some' ? [info(`A ComfyUI is running on port ${port}.`)] : [];
}

/** Paths below custom_nodes that are in the pack's folder and not ours; what Python compiles does not count. */
function foreignFiles(pack: readonly TreeNode[], receipt: Receipt): string[] {
  const ours = new Set(receipt.files.map(({ spot }) => spot.path));
  const visit = (nodes: readonly TreeNode[], folder: string): string[] =>
    nodes.flatMap(({ name, kind, children }) => {
      const path = `${folder}/${name}`;
      if (name === '__pycache__') return [];
      if (kind === 'folder') return visit(children, path);
      return ours.has(path) ? [] : [path];
    });
  return visit(pack, packFolder).slice(0, 50);
}
