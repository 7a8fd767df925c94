import type { ArgumentSpec, CommandSpec } from '../command-spec.ts';
import { outputOptions } from './run-specs.ts';

const job: ArgumentSpec = { name: 'job', description: 'its id', kind: 'job' };

export const jobCommands: readonly CommandSpec[] = [
  {
    name: 'jobs list',
    summary: 'jobs, newest first',
    isDefault: true,
    options: [
      {
        long: '--status',
        value: 'status',
        description: 'only these: queued, running, succeeded, failed, canceled, … with commas',
        choices: ['queued', 'running', 'succeeded', 'failed', 'canceled', 'canceling', 'expired'],
      },
      { long: '--workflow', value: 'name', description: 'only of this workflow', kind: 'workflow' },
      { long: '--mine', description: 'only those of the key that is sent' },
      { long: '--limit', value: 'n', description: 'at most so many, from 1 to 200; default 20' },
      { long: '--after', value: 'job', description: 'older than this one, for the next page', kind: 'job' },
    ],
    asksBridge: true,
    async load() {
      const { listJobs } = await import('./jobs.ts');
      return listJobs;
    },
  },
  {
    name: 'jobs show',
    summary: 'one job: where its time went, its attempts and results',
    arguments: [job],
    asksBridge: true,
    async load() {
      const { showJob } = await import('./jobs.ts');
      return showJob;
    },
  },
  {
    name: 'jobs watch',
    summary: 'wait for a job, and save its results with -o',
    arguments: [job],
    options: outputOptions,
    asksBridge: true,
    notes: 'Ctrl-C stops the waiting; the job goes on.',
    async load() {
      const { watchJob } = await import('./watch-job.ts');
      return watchJob;
    },
  },
  {
    name: 'jobs cancel',
    summary: 'no more of these jobs',
    arguments: [{ ...job, repeats: true }],
    asksBridge: true,
    async load() {
      const { cancelJobs } = await import('./jobs.ts');
      return cancelJobs;
    },
  },
  {
    name: 'jobs priority',
    summary: 'let a job that waits count as come earlier or later (operators)',
    arguments: [
      job,
      { name: 'steps', description: 'of five minutes, from -100 to 100; 0 is normal', kind: 'text' },
    ],
    asksBridge: true,
    async load() {
      const { prioritizeJob } = await import('./jobs.ts');
      return prioritizeJob;
    },
  },
];
