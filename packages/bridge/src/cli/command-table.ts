import type { CommandSpec } from './command-spec.ts';
import { backendCommands } from './commands/backend-specs.ts';
import { jobCommands } from './commands/job-specs.ts';
import { operatorCommands } from './commands/operator-specs.ts';
import { runCommands } from './commands/run-specs.ts';
import { workflowCommands } from './commands/workflow-specs.ts';

/** Every command, once: the parser, the help and the completion of shells are made of it. */
export const commandTable: readonly CommandSpec[] = [
  ...runCommands,
  ...workflowCommands,
  ...jobCommands,
  ...backendCommands,
  ...operatorCommands,
];

/** What the first word of several commands has in common. */
export const groups: Readonly<Record<string, string>> = {
  workflows: 'look at, publish and remove workflows',
  jobs: 'look at, follow and cancel jobs',
  backends: 'look at the ComfyUI machines, and change the fleet',
  keys: 'make, list, renew and end keys',
  config: 'look at the settings',
};
