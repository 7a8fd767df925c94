import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { Answer, Calls } from './_calls.ts';
import { endRecord, toUnhappyEnd } from './_job-record.ts';
import type { JobRecord } from './_job-record.ts';
import { parseParts, readColour } from './_picture.ts';

/** What a client does over HTTP about its one job, again and again while the bridge is away. */
export interface JobCalls {
  /** True when the job was taken; otherwise the record says how it ended. */
  submit(body: Record<string, unknown>): Promise<boolean>;
  /** Asks once how the job is; undefined when there was no answer. */
  ask(): Promise<{ known: boolean; status: string; detail: string } | undefined>;
  /** Fetches the results until they are here or cannot be; false when the job is not finished. */
  fetchResults(): Promise<boolean>;
  interrupt(): Promise<void>;
}

export interface JobCallsOptions {
  /** performance.now() until which it is patient. */
  deadline: number;
  /** Go on trying when the bridge says that it is full or closing. */
  insists: boolean;
}

const pauseMs = 100;

export function createJobCalls(
  calls: Calls,
  record: JobRecord,
  { deadline, insists }: JobCallsOptions,
): JobCalls {
  const query = `clientId=${record.clientId}`;
  const isLate = () => performance.now() > deadline;

  function acknowledge(jobId?: string): boolean {
    record.acknowledgedAt ??= Date.now();
    record.jobId ??= jobId;
    return true;
  }

  async function submit(body: Record<string, unknown>): Promise<boolean> {
    let unclear = false;
    while (record.end === undefined && !isLate()) {
      record.submits += 1;
      const answer = await calls.post(`/generate-based-workflow?${query}`, body).catch(() => undefined);
      if (answer === undefined) {
        unclear = true;
        await delay(pauseMs);
        if (await arrivedAnyway()) return acknowledge();
        continue;
      }
      if (answer.status === 200) return acknowledge(readJobId(answer));
      // The unanswered submit before this one had arrived.
      if (unclear && answer.detail.includes('unfinished job')) return acknowledge();
      if (![429, 503, 507].includes(answer.status) || !insists) {
        endRecord(record, { kind: 'refused', status: answer.status, reason: answer.detail || answer.text });
        return false;
      }
      await delay(pauseMs);
    }
    if (record.end === undefined) endRecord(record, { kind: 'refused', status: 0, reason: 'no answer' });
    return record.end === undefined;
  }

  /** With a socket open, the bridge knows the client without a job too: then only what is said of a job counts. */
  async function arrivedAnyway(): Promise<boolean> {
    const info = await ask();
    return info?.known === true && (record.kind === 'rest' || info.status !== 'connected');
  }

  async function ask() {
    const answer = await calls.get(`/execution-info?${query}`).catch(() => undefined);
    if (answer === undefined || answer.status >= 500) return undefined;
    const { status = '' } = JSON.parse(answer.text) as { status?: string };
    return { known: answer.status === 200, status, detail: answer.detail };
  }

  async function fetchResults(): Promise<boolean> {
    while (!isLate()) {
      const answer = await calls.get(`/history?${query}`).catch(() => undefined);
      if (answer === undefined) {
        record.brokenDeliveries += 1;
        await delay(pauseMs);
      } else if (answer.status === 200) {
        receive(record, answer);
        return true;
      } else if (answer.status === 204) {
        const reason = String(answer.headers['x-detail'] ?? '');
        if (reason.includes('not finished')) return false;
        endRecord(record, { kind: 'lost', reason: `it succeeded, but its result is not there: ${reason}` });
        return true;
      } else if (answer.status === 400) {
        endRecord(record, toUnhappyEnd(record, answer.detail));
        return true;
      } else {
        await delay(pauseMs);
      }
    }
    endRecord(record, { kind: 'lost', reason: 'it succeeded, but its result could not be fetched in time' });
    return true;
  }

  return {
    submit,
    ask,
    fetchResults,
    async interrupt() {
      record.cancelAsked = true;
      while (record.end === undefined && !isLate()) {
        const answer = await calls.post(`/interrupt?${query}`).catch(() => undefined);
        if (answer !== undefined && answer.status < 500) return;
        await delay(pauseMs);
      }
    },
  };
}

function readJobId(answer: Answer): string | undefined {
  const { jobId }: { jobId?: string } = JSON.parse(answer.text);
  return jobId;
}

/** A whole answer is here: exactly one file, named for this job, in its colour. */
function receive(record: JobRecord, { body, headers }: Answer): void {
  const parts = parseParts(body, String(headers['content-type']));
  const [part] = parts;
  record.deliveries += 1;
  if (part === undefined || parts.length !== 1) {
    record.offences.push(`it was delivered ${parts.length} files`);
    return endRecord(record, { kind: 'lost', reason: 'delivered without its file' });
  }
  if (!part.fileName.startsWith(`job-${record.number}_`)) {
    record.offences.push(`it was delivered the file ${part.fileName}`);
  }
  const colour = readColour(part.bytes);
  if (colour !== record.number) record.offences.push(`it was delivered the picture of job ${String(colour)}`);
  endRecord(record, { kind: 'succeeded', sha256: createHash('sha256').update(part.bytes).digest('hex') });
}
