import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { newJob } from './_new-job.ts';

// A process of its own that opens the store in argv[2], inserts a job and changes another without waiting for a sync,
// says so, and then sits there until it is killed.
const store = await openSqliteJobStore(process.argv[2] ?? '');
const [inserted, changed] = [newJob(), newJob()];
await store.insert(changed);
await store.insert(inserted);
await store.replace(changed, {
  ...changed,
  attempt: 1,
  revision: 1,
  state: { status: 'running', phase: 'staging', backend: 'b', promptId: 'p' },
});
process.stdout.write('written\n');
setInterval(() => {}, 60_000);
