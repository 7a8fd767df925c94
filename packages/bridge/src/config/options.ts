import { backendOptions } from './backend-options.ts';
import { fileOptions } from './file-options.ts';
import { jobOptions } from './job-options.ts';
import { limitOptions } from './limit-options.ts';
import { observabilityOptions } from './observability-options.ts';
import type { Option, OptionValue, Section } from './option.ts';
import { serverOptions } from './server-options.ts';
import { webhookOptions } from './webhook-options.ts';

/** Every option of the bridge, once. Each is read from here by the parser, `--help` and docs/config.md. */
export const options = {
  ...serverOptions,
  ...backendOptions,
  ...fileOptions,
  ...jobOptions,
  ...limitOptions,
  ...webhookOptions,
  ...observabilityOptions,
};

export type OptionKey = keyof typeof options;

/** What the parser makes of each option: times in ms, sizes in bytes, paths absolute. */
export type OptionValues = { [K in OptionKey]: OptionValue<(typeof options)[K]> };

/** Titles, in the order in which they are shown. */
export const sections: Readonly<Record<Section, string>> = {
  server: 'Server',
  backends: 'ComfyUI servers',
  workflows: 'Workflows',
  files: 'Files',
  jobs: 'Jobs',
  client: 'Clients',
  limits: 'Limits of one caller',
  logging: 'Logging',
  observability: 'Metrics and traces',
  operator: 'Operator',
};

export const optionEntries: readonly (readonly [OptionKey, Option])[] = (
  Object.keys(options) as OptionKey[]
).map((key) => [key, options[key]] as const);
