import type { ArgumentSpec, CommandSpec } from '../command-spec.ts';

/** Of the data directory; `args` are read by the command itself. */
function data(name: string, summary: string, args: readonly ArgumentSpec[] = []): CommandSpec {
  return {
    name,
    summary,
    arguments: args,
    isRaw: true,
    async load() {
      const { isDataCommand, runDataCommand } = await import('./data-commands.ts');
      const [first] = name.split(' ');
      if (!isDataCommand(first)) throw new Error(`no command ${name}`);
      return ({ args, host }) => runDataCommand(first, args, host);
    },
  };
}

const backup: ArgumentSpec = { name: 'backup', description: 'a folder, or a file.tar', kind: 'file' };

export const operatorCommands: readonly CommandSpec[] = [
  data('keys create', 'make a key'),
  data('keys list', 'list the keys'),
  data('keys rotate', 'give a key a new secret'),
  data('keys revoke', 'end a key'),
  data('backup', 'copy what the bridge keeps, also while it runs', [backup]),
  data('restore', 'put a backup into an empty data directory, or check it', [backup]),
  {
    name: 'config check',
    summary: 'all problems and warnings of the settings, and where each comes from',
    isDefault: true,
    options: [{ long: '--all', description: 'show those too that are as by default' }],
    async load() {
      const { checkConfig } = await import('./check-config.ts');
      return checkConfig;
    },
  },
  {
    name: 'doctor',
    summary: 'look for what keeps the bridge, its machines and its workflows from working',
    options: [{ long: '--offline', description: 'start no trial bridge when none is running' }],
    asksBridge: true,
    notes:
      'With --url it looks at that bridge from outside, also through its proxy; else at the settings of this folder, and from the inside.',
    async load() {
      const { doctor } = await import('./doctor.ts');
      return doctor;
    },
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands, options and names in a shell',
    arguments: [
      { name: 'shell', description: 'bash, zsh or fish', kind: 'text', choices: ['bash', 'zsh', 'fish'] },
    ],
    hasNoJson: true,
    notes: 'bash: source <(comfy-bridge completion bash)',
    async load() {
      const { printCompletion } = await import('./completion.ts');
      return printCompletion;
    },
  },
];
