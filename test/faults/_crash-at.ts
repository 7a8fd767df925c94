import { writeSync } from 'node:fs';

/**
 * Loaded into the bridge with `node --import`: `CRASH_AT=name:count` kills the process, as SIGKILL does, when it reaches
 * that point of a job's life for the count-th time. The bridge itself only calls a hook that is not there otherwise.
 */
export const crashPoints = [
  'job-stored',
  'job-acknowledged',
  'attempt-assigned',
  'input-staged',
  'prompt-submitted',
  'prompt-executing',
  'prompt-progress',
  'prompt-ended',
  'result-received',
  'result-committed',
  'job-succeeded-stored',
  'job-announced',
  'delivery-started',
  'delivery-sent',
  'job-delivered',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** What is written on stderr before the end, so that a test knows that the point was reached. */
export function crashNotice(point: string): string {
  return `crash point reached: ${point}`;
}

const [wanted, count = '1'] = (process.env['CRASH_AT'] ?? '').split(':');
if (wanted !== undefined && wanted !== '') {
  let left = Number(count);
  const hook = (point: string): void => {
    if (point !== wanted || --left > 0) return;
    writeSync(2, `${crashNotice(point)}\n`);
    process.kill(process.pid, 'SIGKILL');
    // The signal is on its way; nothing more may happen in this process.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  Reflect.set(globalThis, Symbol.for('comfy-bridge.crash-point'), hook);
}
