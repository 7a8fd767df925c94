import { openSqliteJobStore } from '../../packages/bridge/src/jobs/sqlite/job-store.ts';
import { newJob } from '../../packages/bridge/tests/_new-job.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { temporaryStore } from '../../packages/bridge/tests/_temporary-store.ts';

const endings = [
  { status: 'succeeded', results: [] },
  { status: 'failed', error: { code: 'node_execution_error', message: 'the sampler did not like it' } },
  { status: 'canceled', reason: 'by its owner' },
] as const;

/** A bridge whose store has so many jobs that have ended, the last of them `client-<count - 1>`. */
export async function startWithJobs(count: number) {
  await using parts = new AsyncDisposableStack();
  const place = parts.use(await temporaryStore());
  const store = await openSqliteJobStore(place.path);
  const cameAt = Date.now() - count * 1000;
  const inserts = Array.from({ length: count }, (_, index) => {
    const createdAt = cameAt + index * 1000;
    const [startedAt, finishedAt] = [createdAt + 300, createdAt + 900];
    const attempt = { backend: 'backend-1', promptId: `p${index}`, outcome: 'failed' } as const;
    return store.insert(
      newJob({
        ...{ clientId: `client-${index}`, createdAt, startedAt, finishedAt, attempt: 1 },
        attempts: [{ ...attempt, startedAt, executingAt: startedAt, endedAt: finishedAt }],
        state: endings[index % endings.length] ?? endings[0],
      }),
    );
  });
  await Promise.all(inserts);
  // The bridge closes it.
  const bridge = parts.use(await startBridge({ overrides: { store } }));
  const owned = parts.move();
  return { bridge, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
