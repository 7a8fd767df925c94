import { parseArgs } from 'node:util';

import { runSchedule } from './random-schedule.ts';
import type { Sample, ScheduleReport } from './random-schedule.ts';

/**
 * A long random schedule: `node test/faults/soak.ts --minutes 30 --seed 7`. Prints a line a minute and the report at the
 * end, as Markdown, or as JSON with `--json`. Exit code 1 when something was lost or grew.
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } },
});
const minutes = Number(values.minutes ?? 30);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function growth({ samples }: ScheduleReport): string[] {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return ['there are no samples'];
  const grown: string[] = [];
  // A heap of thirty megabytes breathes by a few whatever it does.
  if (last.heapMb > first.heapMb * 1.1 + 3) grown.push(`live heap ${first.heapMb} → ${last.heapMb} MB`);
  if (last.fds > first.fds + 10) grown.push(`file descriptors ${first.fds} → ${last.fds}`);
  if (last.sockets > first.sockets + 8) grown.push(`sockets ${first.sockets} → ${last.sockets}`);
  return grown;
}

function toMarkdown(report: ScheduleReport, grown: readonly string[]): string {
  const { samples, faults, violations, seed: used, ...figures } = report;
  const columns: (keyof Sample)[] = ['minute', 'rssMb', 'heapMb', 'fds', 'sockets', 'files'];
  return [
    `# Soak, seed ${used}`,
    row(['figure', 'value']),
    row(['---', '---:']),
    ...Object.entries(figures).map(([name, value]) => row([name, value])),
    '',
    row(['fault', 'times']),
    row(['---', '---:']),
    ...Object.entries(faults).map(([name, times]) => row([name, times])),
    '',
    row(columns),
    row(columns.map(() => '---:')),
    ...samples.map((sample) => row(columns.map((column) => sample[column]))),
    '',
    ...(violations.length + grown.length === 0
      ? ['Nothing was lost, nothing grew.']
      : [...violations, ...grown]),
  ].join('\n');
}

process.stderr.write(`seed ${seed}, ${minutes} minutes\n`);
const report = await runSchedule({
  seed,
  minutes,
  onSample: (sample, { records }) =>
    process.stderr.write(`${JSON.stringify({ jobs: records.length, ...sample })}\n`),
});
const grown = growth(report);
print(values.json === true ? JSON.stringify({ ...report, grown }, null, 2) : toMarkdown(report, grown));
process.exitCode = report.violations.length + grown.length === 0 ? 0 : 1;
