import { expect, test } from 'vitest';

import { newJob } from '../../../tests/_new-job.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job, JobId } from '../../jobs/job.ts';
import { createMemoryJobStore } from '../../jobs/memory-job-store.ts';
import { createLogger } from '../../logging.ts';
import { createJobGroups } from './job-groups.ts';
import type { JobGroupsOptions } from './job-groups.ts';

function world(options: JobGroupsOptions = {}) {
  const store = createMemoryJobStore();
  const jobs = new Map<JobId, Job>();
  const log: string[] = [];
  const clock = { now: 0 };
  const open = () =>
    createJobGroups(
      {
        ledger: { get: async (id) => jobs.get(id) },
        records: store,
        cancel: async () => undefined,
        log: createLogger({
          level: 'error',
          format: 'json',
          destination: { write: (line) => void log.push(line) },
        }),
        now: () => (clock.now += 1),
      },
      options,
    );
  return {
    store,
    jobs,
    log,
    open,
    groups: open(),
    /** The ids of so many new jobs. */
    start(count: number): JobId[] {
      const made = Array.from({ length: count }, () => newJob());
      for (const job of made) jobs.set(job.id, job);
      return made.map(({ id }) => id);
    },
  };
}

const owner = { account: 'a', workflow: 'w' };

test('a group is found with its jobs in their order, also by the next process', async () => {
  const w = world();
  const jobIds = w.start(3);
  const { id } = await w.groups.create({ ...owner, jobIds });
  const found = await w.open().find(id);
  expect(found?.group).toMatchObject({ ...owner, id, jobIds });
  expect(found?.jobs.map((job) => job?.id)).toEqual(jobIds);
});

test('the oldest groups give way when there are too many groups or jobs in them', async () => {
  const w = world({ maxGroups: 3, maxJobs: 10 });
  const ids: string[] = [];
  for (const count of [2, 2, 2, 2])
    ids.push((await w.groups.create({ ...owner, jobIds: w.start(count) })).id);
  expect([...(await w.store.readRecords('groups')).keys()]).toEqual(ids.slice(1));
  const large = await w.open().create({ ...owner, jobIds: w.start(7) });
  expect([...(await w.store.readRecords('groups')).keys()]).toEqual([ids[3], large.id]);
});

test('a group whose jobs are all gone is forgotten, when it is asked for and when it is swept', async () => {
  const w = world();
  const asked = await w.groups.create({ ...owner, jobIds: w.start(2) });
  const swept = await w.groups.create({ ...owner, jobIds: w.start(150) });
  const [kept] = w.start(1);
  if (kept === undefined) throw new Error('no job');
  const half = await w.groups.create({ ...owner, jobIds: [...w.start(120), kept] });
  for (const id of [...w.jobs.keys()]) if (id !== kept) w.jobs.delete(id);
  expect(await w.groups.find(asked.id)).toBeUndefined();
  expect([...(await w.store.readRecords('groups')).keys()]).toEqual([swept.id, half.id]);
  await w.open().sweep();
  expect([...(await w.store.readRecords('groups')).keys()]).toEqual([half.id]);
});

test('a damaged record is told and passed over', async () => {
  const w = world();
  await w.store.writeRecords('groups', new Map([['x', '{"id": 5}']]));
  expect(await w.groups.find('x')).toBeUndefined();
  expect(w.log).toHaveLength(1);
  await w.groups.create({ ...owner, jobIds: [parseJobId('00000000-0000-4000-8000-000000000000')] });
});
