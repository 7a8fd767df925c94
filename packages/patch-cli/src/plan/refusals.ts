/** Why nothing was changed, and what to do. `message` and `fix` are one sentence each; `paths` are listed below them. */
export interface Refusal {
  code: string;
  message: string;
  fix: string;
  paths?: readonly string[];
}

function make(code: string, message: string, fix: string, paths?: readonly string[]): Refusal {
  return { code, message, fix, ...(paths !== undefined && { paths }) };
}

/** Every refusal of the commands that change a ComfyUI, with its words. */
export const refusals = {
  noFolder: (path: string) =>
    make('no-folder', `${path} is not a folder.`, 'Name the folder in which ComfyUI has its main.py.'),
  notComfyui: (path: string, missing: readonly string[]) =>
    make(
      'not-comfyui',
      `${path} is not a ComfyUI: ${missing.join(', ')} not found there.`,
      'Name the folder in which ComfyUI has its main.py, server.py and nodes.py.',
    ),
  inside: (path: string, inner: string) =>
    make('not-comfyui', `${path} is not a ComfyUI, but holds one.`, `Name ${inner}.`),
  tooOld: (version: string) =>
    make(
      'too-old',
      `This is ComfyUI ${version}; the pack needs 0.3.19 or later.`,
      'Update ComfyUI (git pull, or update_comfyui.bat), or try it all the same with --force.',
    ),
  noCustomNodes: (path: string) =>
    make(
      'no-custom-nodes',
      `${path} cannot be used as custom_nodes: it is not a folder.`,
      'Make the folder or mend the link, or name another with --custom-nodes.',
    ),
  otherPlace: (recorded: string, asked: string) =>
    make(
      'other-place',
      `It is installed with custom_nodes at ${recorded}, not at ${asked}.`,
      'Uninstall first, then install with the other folder.',
    ),
  foreignPack: (path: string, what: string) =>
    make(
      'foreign-pack',
      `${path} is there already, and is not of this installer: ${what}.`,
      'Move it out of custom_nodes (removing a link leaves what it names), then run this again.',
    ),
  otherCopy: (paths: readonly string[]) =>
    make(
      'other-copy',
      'Another copy of the pack is in custom_nodes; ComfyUI would load both.',
      'Move these folders out of custom_nodes, then run this again.',
      paths,
    ),
  disabled: (path: string) =>
    make(
      'disabled',
      `The pack was disabled: ${path} is there.`,
      'Rename it back to comfy-bridge (or enable it in the manager), or delete it; --force goes on without it.',
    ),
  inTheWay: (paths: readonly string[]) =>
    make(
      'in-the-way',
      'Something that is not a plain file or folder stands where ours goes.',
      'Move these away, then run this again.',
      paths,
    ),
  edited: (paths: readonly string[]) =>
    make(
      'edited',
      'Files were edited since they were installed; nothing was changed.',
      'Keep a copy of what you need from them, then run this again with --force.',
      paths,
    ),
  unwritable: (paths: readonly string[]) =>
    make(
      'unwritable',
      'These folders cannot be written to; nothing was changed.',
      'Run this as the user who owns them, or give that right (on Windows: not in Program Files).',
      paths,
    ),
  badState: (path: string) =>
    make('bad-state', `${path} is not a plain folder.`, 'Move it away, then run this again.'),
  stateNames: (paths: readonly string[]) =>
    make(
      'receipt-gone',
      'These are left of an installation whose receipt.json is gone.',
      'Put receipt.json back; or compare the files yourself, then move the whole .comfy-bridge folder away.',
      paths,
    ),
  damaged: (path: string) =>
    make(
      'damaged',
      `${path} cannot be read: it was damaged or edited.`,
      'Put it back from a backup; or move the .comfy-bridge folder and custom_nodes/comfy-bridge away, and install anew.',
    ),
  newer: (path: string) =>
    make('newer', `${path} was written by a newer comfy-bridge-patch.`, 'Use that version, or a later one.'),
  downgrade: (installed: string, ours: string) =>
    make(
      'downgrade',
      `Version ${installed} is installed; this one is ${ours}.`,
      'Use the newer comfy-bridge-patch, or go back with --force.',
    ),
  notInstalled: (path: string) =>
    make('not-installed', `Nothing of comfy-bridge is installed in ${path}.`, 'Use: install'),
  lostOriginals: (paths: readonly string[]) =>
    make(
      'lost-originals',
      'The kept originals of these files are gone or damaged, so they cannot be put back.',
      'Put .comfy-bridge/originals back from a backup; or run this with --force, which removes ours and puts nothing back.',
      paths,
    ),
  incompletePayload: (missing: string) =>
    make(
      'incomplete-package',
      `This copy of comfy-bridge-patch is incomplete: ${missing} is missing.`,
      'Build it (npm run patch does), or get it again.',
    ),
  busy: (pid: number, since: string, path: string) =>
    make(
      'busy',
      `Another comfy-bridge-patch works on this ComfyUI (process ${pid}, since ${since}).`,
      `Wait until it is done. If there is none, remove ${path}.`,
    ),
  changedSince: (paths: readonly string[]) =>
    make(
      'changed-since',
      'An earlier run was interrupted, and these were changed since; it can be neither finished nor undone by itself.',
      'Keep a copy of what you need from them, then run this again with --force: they become what they were before that run.',
      paths,
    ),
  rolledBack: (reason: string) =>
    make(
      'rolled-back',
      `It did not work, and everything is as it was before: ${reason}.`,
      'Mend that, then run this again.',
    ),
  halfWay: (reason: string) =>
    make(
      'half-way',
      `It did not work, and taking it back did not either: ${reason}.`,
      'Mend that, then run this again: it is written down what is left to take back.',
    ),
  badSettings: (path: string) =>
    make('bad-settings', `${path} is not a JSON object.`, 'Mend it, or move it away, then run this again.'),
};
