import type { ArgumentSpec, CommandSpec, OptionSpec } from '../command-spec.ts';

const backend: ArgumentSpec = { name: 'backend', description: 'its name', kind: 'backend' };

function change(name: string, summary: string, options: readonly OptionSpec[] = []): CommandSpec {
  return {
    name: `backends ${name}`,
    summary,
    arguments: [backend],
    options,
    asksBridge: true,
    async load() {
      const { changeBackend } = await import('./backends.ts');
      return (context) => changeBackend(name, context);
    },
  };
}

export const backendCommands: readonly CommandSpec[] = [
  {
    name: 'backends list',
    summary: 'the ComfyUI machines: state, queue, memory',
    isDefault: true,
    asksBridge: true,
    async load() {
      const { listBackends } = await import('./backends.ts');
      return listBackends;
    },
  },
  {
    name: 'backends add',
    summary: 'take a machine into the fleet; it stays over restarts',
    arguments: [{ name: 'address', description: 'host:port or a URL', kind: 'text' }],
    options: [
      { long: '--name', value: 'name', description: 'what to call it; else the bridge finds one' },
      {
        long: '--token-file',
        value: 'path',
        description: 'a file that holds the token which it asks for',
        kind: 'file',
      },
      { long: '--pin', value: 'sha256:…', description: 'trust no certificate but one with this key' },
      { long: '--tags', value: 'a,b', description: 'what workflows may require of it' },
      { long: '--weight', value: 'number', description: 'how fast it is beside the others; default 1' },
    ],
    asksBridge: true,
    async load() {
      const { addBackend } = await import('./backends.ts');
      return addBackend;
    },
  },
  change('drain', 'give it no new jobs; what it has ends there'),
  change('pause', 'give it no new jobs, and move away what only waits there'),
  change('resume', 'give it jobs again'),
  change('free', 'have it unload its models'),
  change('remove', 'take it out of the fleet when its jobs have ended', [
    { long: '--now', description: 'at once; its jobs go to others' },
  ]),
  {
    name: 'backends why',
    summary: 'where a workflow would run now, and why not elsewhere',
    arguments: [{ name: 'workflow', description: 'its name', kind: 'workflow' }],
    asksBridge: true,
    async load() {
      const { explainPlacement } = await import('./why.ts');
      return explainPlacement;
    },
  },
];
