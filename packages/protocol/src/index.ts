/** The one barrel of the workspace: everything that crosses a wire or a file. */
export * from './api-prompt.ts';
export * from './compat.ts';
export * from './error.ts';
export * from './job.ts';
export * from './workflow-marks.ts';
export * from './v2.ts';
