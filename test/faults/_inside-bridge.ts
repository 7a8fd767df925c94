import { DatabaseSync, StatementSync } from 'node:sqlite';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

/**
 * Loaded into the bridge with `node --import`: tells its memory after a garbage collection, makes its store misbehave on
 * demand, and ends it when the test is gone. Needs `--expose-gc`.
 */
export type StoreTrouble = 'none' | 'full' | 'read-only' | 'slow';

const troubles: readonly StoreTrouble[] = ['none', 'full', 'read-only', 'slow'];

const errors = {
  full: { errcode: 13, message: 'database or disk is full' },
  'read-only': { errcode: 8, message: 'attempt to write a readonly database' },
};

/** The store may work in a thread of its own, which loads this file too: what is wanted is shared memory. */
const sharedName = 'comfy-bridge.store-trouble';
if (isMainThread) setEnvironmentData(sharedName, new SharedArrayBuffer(4));
const shared = new Int32Array(getEnvironmentData(sharedName) as unknown as SharedArrayBuffer);

function disturb(isWrite: boolean): void {
  const trouble = troubles[Atomics.load(shared, 0)] ?? 'none';
  if (!isWrite || trouble === 'none') return;
  if (trouble === 'slow') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    return;
  }
  const { errcode, message } = errors[trouble];
  throw Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode, errstr: message });
}

const run = StatementSync.prototype.run;
Reflect.set(StatementSync.prototype, 'run', function disturbedRun(this: StatementSync, ...values: unknown[]) {
  disturb(/^\s*(INSERT|UPDATE|DELETE|REPLACE)/i.test(this.sourceSQL));
  return Reflect.apply(run, this, values);
});
const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function disturbedExec(this: DatabaseSync, sql: string) {
  disturb(/^\s*(COMMIT|INSERT|UPDATE|DELETE)/i.test(sql));
  exec.call(this, sql);
};

function answer(message: unknown): void {
  if (typeof message !== 'object' || message === null) return;
  if ('trouble' in message) Atomics.store(shared, 0, troubles.indexOf(message.trouble as StoreTrouble));
  if ('collect' in message) {
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { heapUsed, rss, external } = process.memoryUsage();
  process.send?.({ heapUsed, rss, external });
}

if (isMainThread) {
  process.on('message', answer);
  // The channel alone must not keep the bridge alive; and without the test, the bridge has no business.
  process.channel?.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
