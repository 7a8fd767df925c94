import { expect, test } from 'vitest';

import { aJob, anAttempt, at, cameAt } from './_a-job.ts';
import { filterOf, fromLocalField, matches, noFilter, pathOf, queryOf, toLocalField } from './job-filter.ts';
import type { JobFilter } from './job-filter.ts';

test('a filter survives the URL, and says nothing where it asks for nothing', () => {
  const filter: JobFilter = {
    ...{ status: ['running', 'failed'], workflow: 'up scale', backend: 'gpu-1', q: '가나', last: undefined },
    ...{ since: at(0), until: at(60) },
  };
  expect(filterOf(queryOf(filter))).toEqual(filter);
  expect(queryOf(noFilter)).toEqual({});
});

test('what nobody can have meant is left out of a URL that somebody wrote', () => {
  const query = { status: 'running,nonsense', last: '5y', since: 'yesterday', q: ['a', 'b'], workflow: null };
  expect(filterOf(query)).toEqual({ ...noFilter, status: ['running'] });
});

test('the last hours are counted from now, a page goes on after the one before', () => {
  const path = pathOf({ ...noFilter, last: '1h', since: at(5) }, 'job-50', cameAt + 3_600_000);
  const query = new URLSearchParams(path.split('?')[1]);
  expect(Object.fromEntries(query)).toEqual({ since: at(0), after: 'job-50', limit: '50' });
});

test.each<[Partial<JobFilter>, boolean]>([
  [{}, true],
  [{ status: ['queued'] }, true],
  [{ status: ['failed'] }, false],
  [{ workflow: 'upscale' }, true],
  [{ workflow: 'up' }, false],
  [{ backend: 'a' }, true],
  [{ backend: 'b' }, false],
  [{ q: 'LIEN' }, true],
  [{ q: 'x' }, false],
  [{ since: at(-1), until: at(1) }, true],
  [{ since: at(1) }, false],
  [{ until: at(-1) }, false],
  [{ last: '1h' }, true],
])('a new job belongs into the list of %j: %s', (filter, belongs) => {
  const job = aJob({ client_id: 'client', attempts: [anAttempt()] });
  expect(matches(job, { ...noFilter, ...filter }, cameAt + 60_000)).toBe(belongs);
});

test('a field shows the time of the wall, and gives back the same moment', () => {
  const iso = '2026-03-01T10:20:00.000Z';
  expect(fromLocalField(toLocalField(iso))).toBe(iso);
  expect(toLocalField('')).toBe('');
  expect(fromLocalField('')).toBe('');
});
