/** The one barrel of the workspace: everything that crosses a wire or a file. */
export * from './api-prompt.ts';
export * from './bridge-answers.ts';
export * from './bridge-jobs.ts';
export * from './bridge-workflows.ts';
export * from './compat.ts';
export * from './error.ts';
export * from './fleet.ts';
export * from './job.ts';
export * from './keys.ts';
export * from './page.ts';
export * from './publish-workflow.ts';
export * from './stats.ts';
export * from './workflow-marks.ts';
export * from './v2.ts';
export * from './v2-assets.ts';
export * from './webhook.ts';
