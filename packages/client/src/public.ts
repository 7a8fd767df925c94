/** What both entries export beside `createBridge`. */
export type {
  AnyWorkflows,
  BatchInputs,
  Bridge,
  BridgeOptions,
  RunAllOptions,
  RunOptions,
  SubmitAllOptions,
  WorkflowTypes,
} from './bridge.ts';
export { BridgeError, ConnectionError, JobCanceledError, JobFailedError } from './errors.ts';
export type { JobEvent, PreviewPicture, StatusUpdate } from './follow-job.ts';
export type { GroupHandle, GroupWaitOptions, Settled } from './group-handle.ts';
export type { AnyInputs, FileInput, InputValue, NewFile, Sweep } from './inputs.ts';
export type { JobHandle, JobResult, Preview, WaitOptions } from './job-handle.ts';
export type { Output } from './output.ts';
export type { SubmitOptions } from './submit.ts';
export type {
  Group,
  Job,
  JobFailure,
  JobOutput,
  JobStatus,
  OutputType,
  Progress,
  Webhook,
  WorkflowDetail,
  WorkflowEntry,
  WorkflowInput,
} from './wire.ts';
