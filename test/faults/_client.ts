import { setTimeout as delay } from 'node:timers/promises';

import type { Calls } from './_calls.ts';
import { createJobCalls } from './_job-calls.ts';
import type { JobCalls } from './_job-calls.ts';
import { toPrefix } from './_job-number.ts';
import { createJobRecord, endRecord, toUnhappyEnd } from './_job-record.ts';
import type { JobRecord } from './_job-record.ts';
import { createJobSocket } from './_job-socket.ts';
import type { JobSocket } from './_job-socket.ts';

export interface ClientDeps {
  calls: Calls;
  /** Where `/ws` is, without the query. */
  socketUrl(): string;
  /** What its socket shows; its calls have it by themselves. */
  credentials: Readonly<Record<string, string>>;
  /** The bridge's life that this is. */
  life(): number;
}

export interface ClientOptions {
  /** The job's number, which is also the colour of its picture: 1 to 0xffffff. */
  number: number;
  kind: 'ws' | 'rest';
  /** Default `tiny`. */
  workflow?: 'tiny' | 'steps' | 'staged';
  /** Of the workflow `steps`; default 10. */
  steps?: number;
  /** More inputs. */
  inputs?: Record<string, unknown>;
  clientId?: string;
  /** Asks for more fields in the frames. */
  extended?: boolean;
  /** Until the end; default 40 s. */
  withinMs?: number;
  /** Default 100. */
  pollMs?: number;
  /** Submits again when the bridge is full or closing; default true. */
  insists?: boolean;
}

/** A sensible client with one job: it comes back under the same clientId whatever breaks, until it knows the end. */
export interface Client {
  readonly record: JobRecord;
  /** Settles when the job was taken, or refused for good. */
  readonly submitted: Promise<boolean>;
  /** Settles when the end is known or the time is over; never rejects. */
  readonly done: Promise<JobRecord>;
  /** Asks for the end of the job, once it was taken. */
  cancel(): Promise<void>;
  /** Its socket breaks; it comes back. */
  disconnect(how: 'close' | 'reset'): void;
  /** It goes away for good, and does not even look again. */
  leave(how: 'close' | 'reset'): void;
  /** Ends it whatever it does: the test is over. */
  stop(): void;
}

/** After this long on a new socket without a word, it asks. */
const askAfterMs = 1_000;

export function startClient(deps: ClientDeps, options: ClientOptions): Client {
  const { number, kind, workflow = 'tiny', extended = false, pollMs = 100, insists = true } = options;
  const clientId = options.clientId ?? `faults-${number}-${Math.random().toString(36).slice(2, 10)}`;
  const record = createJobRecord({ number, clientId, kind, workflow, life: deps.life });
  const deadline = performance.now() + (options.withinMs ?? 40_000);
  const calls = createJobCalls(deps.calls, record, { deadline, insists });
  const submitted = Promise.withResolvers<boolean>();
  let socket: JobSocket | undefined;
  let left = false;

  const isOver = () => left || record.end !== undefined || performance.now() > deadline;

  async function submit(): Promise<boolean> {
    const taken = await calls.submit(toBody(options, workflow));
    submitted.resolve(taken);
    return taken;
  }

  async function poll(): Promise<void> {
    if (!(await submit())) return;
    while (!isOver()) {
      await delay(pollMs);
      await askOnce(record, calls);
    }
  }

  async function follow(): Promise<void> {
    while (!isOver()) {
      const url = `${deps.socketUrl()}?clientId=${clientId}${extended ? `&events=2${resumeFrom(record)}` : ''}`;
      socket = createJobSocket(url, record, deps.credentials);
      const opened = await socket.connected;
      if (opened && record.submits === 0) await submit();
      const again = socket.count > 1;
      let quietSince = performance.now();
      while (socket.isOpen && !isOver()) {
        const end = await socket.nextEnd(askAfterMs);
        if (end?.status === 'closed') await calls.fetchResults();
        else if (end !== undefined) endRecord(record, toUnhappyEnd(record, end.detail));
        // The end may have been said to the socket before this one.
        else if (again && performance.now() - quietSince > askAfterMs) {
          await askOnce(record, calls);
          quietSince = performance.now();
        }
      }
      socket.terminate();
      if (!isOver()) await delay(pollMs);
    }
  }

  async function run(): Promise<JobRecord> {
    try {
      await (kind === 'ws' ? follow() : poll());
    } catch (error) {
      record.offences.push(`the client broke: ${String(error)}`);
    }
    submitted.resolve(false);
    if (left) endRecord(record, { kind: 'left' });
    endRecord(record, { kind: 'lost', reason: 'it did not end in time' });
    socket?.terminate();
    return record;
  }

  return {
    record,
    submitted: submitted.promise,
    done: run(),
    async cancel() {
      if (await submitted.promise) await calls.interrupt();
    },
    disconnect: (how) => socket?.breakOff(how),
    leave(how) {
      left = true;
      record.cancelAsked = true;
      socket?.breakOff(how);
    },
    stop() {
      left = true;
      socket?.terminate();
    },
  };
}

/** Who asks for numbered events says which was the last one that it has heard. */
function resumeFrom({ frames }: JobRecord): string {
  const last = frames.findLast(({ extras }) => typeof extras['seq'] === 'number')?.extras['seq'];
  return last === undefined ? '' : `&after=${String(last)}`;
}

async function askOnce(record: JobRecord, calls: JobCalls): Promise<void> {
  const info = await calls.ask();
  if (info === undefined || record.end !== undefined) return;
  if (!info.known && record.acknowledgedAt !== undefined) {
    endRecord(record, { kind: 'lost', reason: `the bridge does not know it: ${info.detail}` });
  } else if (info.status === 'closed') await calls.fetchResults();
  else if (info.status === 'error') endRecord(record, toUnhappyEnd(record, info.detail));
}

function toBody({ number, steps = 10, inputs }: ClientOptions, workflow: string): Record<string, unknown> {
  return {
    workflow,
    '4/filename_prefix': toPrefix(number),
    ...(workflow !== 'staged' && { '1/color': number }),
    ...(workflow === 'steps' && { '1/width': steps * 480 }),
    ...inputs,
  };
}
