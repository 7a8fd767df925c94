import type { CommandSpec, OptionSpec } from '../command-spec.ts';

export const outputOptions: readonly OptionSpec[] = [
  {
    long: '--output',
    short: '-o',
    value: 'path',
    description: 'save the results there: a folder, a file for a single result, - for standard output',
    kind: 'file',
  },
  { long: '--force', description: 'replace files that are there; in a folder they are numbered else' },
  {
    long: '--timeout',
    value: 'seconds',
    description: 'wait no longer; the job goes on (exit code 5)',
  },
];

const described: Readonly<Record<string, string>> = {
  image: 'a picture',
  video: 'a video',
  audio: 'a sound',
  mask: 'a picture to mask with',
};

function fileOption(kind: string): OptionSpec {
  return {
    long: `--${kind}`,
    value: '[name=]path',
    description: `${described[kind] ?? 'any file'} of this machine; - for standard input`,
    kind: 'file',
    repeats: true,
  };
}

export const runCommands: readonly CommandSpec[] = [
  {
    name: 'start',
    summary: 'run the bridge (what comfy-bridge alone does)',
    options: [
      { long: '--insecure', description: 'ask for no keys on a public address either, as INSECURE=on' },
    ],
    hasNoJson: true,
    async load() {
      const { startFromCli } = await import('./start.ts');
      return startFromCli;
    },
  },
  {
    name: 'run',
    summary: 'run a workflow, wait for it and save what it makes',
    arguments: [{ name: 'workflow', description: 'its name', kind: 'workflow' }],
    options: [
      {
        long: '--input',
        short: '-i',
        value: 'name=value',
        description: 'a value; @path reads it from a file, @- from standard input, @@ is a single @',
        kind: 'input',
        repeats: true,
      },
      ...['image', 'video', 'audio', 'mask', 'file'].map(fileOption),
      {
        long: '--seed',
        value: 'number',
        description: 'for every input that is a seed; random: a new one',
      },
      {
        long: '--sweep',
        value: 'name=a,b,…',
        description: 'one job for each of these values; with several, one for each combination',
        kind: 'input',
        repeats: true,
      },
      { long: '--count', value: 'n', description: 'so many jobs, each with a seed of its own' },
      ...outputOptions,
      { long: '--no-wait', description: 'only hand it in, and print its id' },
      {
        long: '--priority',
        value: '0-7',
        description: '0 is the most urgent, 3 normal, 7 the least',
        choices: ['0', '1', '2', '3', '4', '5', '6', '7'],
      },
    ],
    asksBridge: true,
    notes:
      'An input goes by its name, label or key; see comfy-bridge workflows show <workflow>. Ctrl-C cancels the job; a second one leaves at once.',
    async load() {
      const { run } = await import('./run.ts');
      return run;
    },
  },
];
