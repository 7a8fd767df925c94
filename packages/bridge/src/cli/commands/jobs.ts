import { z } from 'zod';

import { apiPath } from '../call-bridge.ts';
import { exitCodes, usageError } from '../cli-error.ts';
import type { Command } from '../command-spec.ts';
import { toPlainText } from '../display-width.ts';
import { formatBytes, formatMs, formatTime } from '../format-values.ts';
import { renderFields, renderTable } from '../render-table.ts';

const msSchema = z.number().nullable();
const timeSchema = z.string().nullable();

/** What the command line reads of a job. */
const jobSchema = z.object({
  id: z.string(),
  status: z.string(),
  workflow: z.string(),
  created_at: z.string(),
  completed_at: timeSchema,
  expires_at: z.string(),
  queue_position: z.number().nullable(),
  progress: z.object({ value: z.number(), message: z.string().nullish() }).nullable(),
  priority: z.number(),
  phase: z.string().nullable(),
  waits_because: z.string().nullable(),
  eta: z.object({ at: timeSchema, basis: z.string() }).nullable(),
  outputs: z.array(z.object({ id: z.string(), name: z.string(), type: z.string(), size_bytes: z.number() })),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  attempts: z.array(
    z.object({
      number: z.number(),
      backend: z.string(),
      outcome: z.string().nullable(),
      started_at: timeSchema,
      executing_at: timeSchema,
      ended_at: timeSchema,
    }),
  ),
  timings: z.object({ queue_ms: msSchema, run_ms: msSchema, delivery_ms: msSchema }),
});
type ShownJob = z.infer<typeof jobSchema>;

const listSchema = z.object({ jobs: z.array(jobSchema), next: z.string().nullable() });

export const listJobs: Command = async ({ options, bridge, print }) => {
  const { raw, value } = await (
    await bridge()
  ).read(listSchema, apiPath('jobs'), {
    query: {
      status: options.text('status'),
      workflow: options.text('workflow'),
      owner: options.flag('mine') ? 'me' : undefined,
      limit: options.number('limit', { min: 1, max: 200 }) ?? 20,
      after: options.text('after'),
    },
  });
  print.result(raw, () =>
    renderTable(
      ['JOB', 'STATUS', 'WORKFLOW', 'CREATED', 'TOOK', 'BACKEND', ''],
      value.jobs.map((job) => [
        job.id,
        job.status,
        job.workflow,
        formatTime(job.created_at),
        job.timings.run_ms === null ? null : formatMs(job.timings.run_ms),
        job.attempts.at(-1)?.backend ?? null,
        remarkOn(job),
      ]),
    ),
  );
  if (value.next !== null && !print.isJson) print.note(`There are more: --after ${value.next}`);
  return exitCodes.ok;
};

function remarkOn({ status, error, queue_position, progress, waits_because }: ShownJob): string {
  if (error !== null) return error.message;
  if (status === 'queued')
    return waits_because ?? (queue_position === null ? '' : `${queue_position} before it`);
  return status === 'running' && progress !== null ? `${Math.floor(progress.value * 100)} %` : '';
}

export const showJob: Command = async ({ args, bridge, print }) => {
  const { raw, value } = await (await bridge()).read(jobSchema, apiPath('jobs', args[0] ?? ''));
  print.result(raw, () => describeJob(value));
  return exitCodes.ok;
};

function describeJob(job: ShownJob): string {
  const { timings, attempts, outputs, error, eta, progress } = job;
  const took = (ms: number | null) => (ms === null ? undefined : formatMs(ms));
  const parts = [
    renderFields({
      job: job.id,
      workflow: job.workflow,
      status: job.phase === null ? job.status : `${job.status} (${job.phase})`,
      progress:
        progress === null
          ? undefined
          : `${Math.floor(progress.value * 100)} % ${progress.message ?? ''}`.trimEnd(),
      'waits because': job.waits_because ?? undefined,
      error: error === null ? undefined : `${error.message} (${error.code})`,
      created: formatTime(job.created_at),
      expected: eta === null ? undefined : `${formatTime(eta.at)} (${eta.basis})`,
      completed: job.completed_at === null ? undefined : formatTime(job.completed_at),
      'kept until': formatTime(job.expires_at),
      waited: took(timings.queue_ms),
      ran: took(timings.run_ms),
      priority: job.priority === 0 ? undefined : job.priority,
    }),
  ];
  if (attempts.length > 0)
    parts.push(
      renderTable(
        ['ATTEMPT', 'BACKEND', 'OUTCOME', 'STARTED', 'EXECUTING', 'ENDED'],
        attempts.map(({ number, backend, outcome, started_at, executing_at, ended_at }) => [
          ...[number, backend, outcome ?? 'goes on'],
          ...[started_at, executing_at, ended_at].map(formatTime),
        ]),
      ),
    );
  if (outputs.length > 0)
    parts.push(
      renderTable(
        ['RESULT', 'TYPE', 'SIZE', 'ASSET'],
        outputs.map(({ name, type, size_bytes, id }) => [name, type, formatBytes(size_bytes), id]),
      ),
    );
  return parts.join('\n');
}

export const cancelJobs: Command = async ({ args, bridge, print }) => {
  const caller = await bridge();
  const answers: unknown[] = [];
  for (const id of args) {
    const answer = await caller.send('POST', `/api/v2/jobs/${encodeURIComponent(id)}/cancel`);
    answers.push(answer);
    const { status } = z.object({ status: z.string() }).parse(answer);
    if (!print.isJson) print.text(`${toPlainText(id)} ${status}\n`);
  }
  if (print.isJson) print.result(answers.length === 1 ? answers[0] : answers, () => '');
  return exitCodes.ok;
};

export const prioritizeJob: Command = async ({ args, bridge, print }) => {
  const [id = '', steps = ''] = args;
  if (!/^-?\d{1,3}$/.test(steps)) throw usageError('the priority is a whole number from -100 to 100');
  const body = JSON.stringify({ priority: Number(steps) });
  const answer = await (await bridge()).send('POST', apiPath('jobs', id, 'priority'), { body });
  print.result(answer, () => `${toPlainText(id)} has priority ${Number(steps)}\n`);
  return exitCodes.ok;
};
