/**
 * Named places in the life of a job, and of its database, where a test may kill the process. Without a hook (always, outside of such a test)
 * reaching one does nothing.
 */
export type CrashPoint =
  | 'migration-copied'
  | 'migration-applied'
  | 'migration-committed'
  | 'job-stored'
  | 'job-acknowledged'
  | 'attempt-assigned'
  | 'input-staged'
  | 'prompt-submitted'
  | 'prompt-executing'
  | 'prompt-progress'
  | 'prompt-ended'
  | 'result-received'
  | 'result-committed'
  | 'job-succeeded-stored'
  | 'job-announced'
  | 'delivery-started'
  | 'delivery-sent'
  | 'job-delivered';

const hookName = Symbol.for('comfy-bridge.crash-point');

/** Tells the hook, if a test has set one before the bridge was loaded. */
export function reachPoint(point: CrashPoint): void {
  const hook: unknown = Reflect.get(globalThis, hookName);
  if (typeof hook === 'function') Reflect.apply(hook, undefined, [point]);
}
