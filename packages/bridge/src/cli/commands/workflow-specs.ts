import type { ArgumentSpec, CommandSpec } from '../command-spec.ts';

const workflow: ArgumentSpec = { name: 'workflow', description: 'its name', kind: 'workflow' };

export const workflowCommands: readonly CommandSpec[] = [
  {
    name: 'workflows list',
    summary: 'what can be run',
    isDefault: true,
    asksBridge: true,
    async load() {
      const { listWorkflows } = await import('./workflows.ts');
      return listWorkflows;
    },
  },
  {
    name: 'workflows show',
    summary: 'one workflow: its inputs, what it makes, and what keeps it from running',
    arguments: [workflow],
    asksBridge: true,
    async load() {
      const { showWorkflow } = await import('./workflows.ts');
      return showWorkflow;
    },
  },
  {
    name: 'workflows publish',
    summary: 'publish a workflow file under a name, or replace what is there (authors)',
    arguments: [
      workflow,
      { name: 'file', description: 'in API format, with its marks; - for standard input', kind: 'file' },
    ],
    options: [
      { long: '--description', value: 'text', description: 'what it does; without it, as it was' },
      {
        long: '--thumbnail',
        value: 'path',
        description: 'a PNG, JPEG or WebP of at most 2 MB',
        kind: 'file',
      },
      { long: '--new', description: 'refuse when there is one of that name' },
    ],
    asksBridge: true,
    async load() {
      const { publishWorkflow } = await import('./publish-workflow.ts');
      return publishWorkflow;
    },
  },
  {
    name: 'workflows versions',
    summary: 'the versions that are kept, newest first (authors)',
    arguments: [workflow],
    asksBridge: true,
    async load() {
      const { listVersions } = await import('./publish-workflow.ts');
      return listVersions;
    },
  },
  {
    name: 'workflows restore',
    summary: 'make an earlier version the current one (authors)',
    arguments: [workflow, { name: 'version', description: 'of the list of versions', kind: 'text' }],
    asksBridge: true,
    async load() {
      const { restoreWorkflow } = await import('./publish-workflow.ts');
      return restoreWorkflow;
    },
  },
  {
    name: 'workflows file',
    summary: 'print the workflow file (authors)',
    arguments: [workflow],
    asksBridge: true,
    hasNoJson: true,
    async load() {
      const { printWorkflowFile } = await import('./publish-workflow.ts');
      return printWorkflowFile;
    },
  },
  {
    name: 'workflows remove',
    summary: 'take a workflow away; its versions stay (authors)',
    arguments: [workflow],
    asksBridge: true,
    async load() {
      const { removeWorkflow } = await import('./publish-workflow.ts');
      return removeWorkflow;
    },
  },
];
