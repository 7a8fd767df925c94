import { parseRetryAfter } from './errors.ts';
import type { Http } from './http.ts';
import { createSseParser } from './sse-parser.ts';
import type { ServerSentEvent } from './sse-parser.ts';
import { backOff, onAbort, sleep } from './waiting.ts';
import { isTerminal } from './wire.ts';
import type { Job, JobOutput, JobStatus, Progress } from './wire.ts';

export interface StatusUpdate {
  status: JobStatus;
  /** How many are before it; null when it does not wait. */
  queue_position?: number | null | undefined;
}

export interface PreviewPicture {
  node_id: string;
  content_type: string;
  data_base64: string;
}

/** What happens to a job. Progress is a complete snapshot; an output is told once. */
export type JobEvent =
  | { type: 'status'; data: StatusUpdate }
  | { type: 'progress'; data: Progress }
  | { type: 'preview'; data: PreviewPicture }
  | { type: 'output'; data: JobOutput };

export interface FollowDeps {
  http: Http;
  /** The server tells something every 15 seconds; after this long without a byte the line counts as dead. */
  silenceMs: number;
  /** Between two looks, where there is no stream. */
  pollMs: number;
  /** How many streams may still be opened. Jobs beyond that are polled. */
  streams: { left: number };
}

/** How long a stream that was refused is not asked for again, when the server does not say. */
const refusedSeconds = 30;

/**
 * The events of a job until its end, and then the job as the server has it. Comes back where a stream broke off, and polls where
 * there is none. Throws a `BridgeError`, or the reason of the signal.
 */
export async function* followJob(
  { http, silenceMs, pollMs, streams }: FollowDeps,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<JobEvent, Job> {
  const link = `api/bridge/jobs/${encodeURIComponent(id)}`;
  const told = createMemory();
  let lastId = '';
  let failures = 0;
  let streamAt = 0;
  for (;;) {
    let waitMs = pollMs;
    if (streams.left > 0 && Date.now() >= streamAt) {
      streams.left -= 1;
      try {
        const line = await openStream(http, `${link}/events`, { lastId, silenceMs, signal });
        if ('refusedMs' in line) {
          streamAt = Date.now() + line.refusedMs;
          failures = 0;
        } else {
          for await (const message of line.messages) {
            failures = 0;
            lastId = message.id;
            const event = parseEvent(message);
            // The end is told when the job itself says so.
            if (event?.type === 'status' && isTerminal(event.data.status)) break;
            if (event !== undefined && told.isNew(event)) yield event;
          }
          waitMs = Math.max(backOff(failures), line.retry() ?? 0);
          failures += 1;
        }
      } finally {
        streams.left += 1;
      }
    }
    const job = await http.json<Job>('GET', link, { signal });
    // What a stream has missed it tells by itself, in order, as soon as there is one again.
    const ended = isTerminal(job.status);
    if (ended || failures !== 1) yield* toEvents(job).filter(told.isNew);
    if (ended) return job;
    await sleep(waitMs, signal);
  }
}

type Line =
  | { messages: AsyncIterable<ServerSentEvent>; retry(): number | undefined }
  /** How long not to ask again. */
  | { refusedMs: number };

/** A line that breaks, or cannot be had, has no more messages: the reason does not matter, the job itself is looked at then. */
async function openStream(
  http: Http,
  link: string,
  { lastId, silenceMs, signal }: { lastId: string; silenceMs: number; signal: AbortSignal | undefined },
): Promise<Line> {
  const controller = new AbortController();
  const stop = onAbort(signal, () => controller.abort());
  const parser = createSseParser();
  const headers = { Accept: 'text/event-stream', ...(lastId !== '' && { 'Last-Event-ID': lastId }) };
  const response = await http.open(link, controller, headers).catch(() => undefined);
  const isStream = response?.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response !== undefined && !(response.ok && isStream)) {
    stop();
    controller.abort();
    // 501: there are none on this server. Anything else, such as too many streams, may pass.
    const seconds = parseRetryAfter(response) ?? refusedSeconds;
    return { refusedMs: response.status === 501 ? Infinity : seconds * 1000 };
  }

  async function* read(): AsyncGenerator<ServerSentEvent> {
    const reader = response?.body?.getReader();
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      if (reader === undefined) return;
      for (;;) {
        timer = setTimeout(() => controller.abort(), silenceMs);
        const chunk = await reader.read();
        clearTimeout(timer);
        if (chunk.value === undefined) return;
        yield* parser.push(chunk.value);
      }
    } catch {
      // It broke off, or is no event stream: as if it had ended.
    } finally {
      clearTimeout(timer);
      stop();
      controller.abort();
    }
  }
  return { messages: read(), retry: () => parser.retry };
}

/** Undefined for what a later server may tell and this client does not know. */
function parseEvent({ event, data }: ServerSentEvent): JobEvent | undefined {
  if (!['status', 'progress', 'preview', 'output'].includes(event)) return undefined;
  try {
    return { type: event, data: JSON.parse(data) } as JobEvent;
  } catch {
    return undefined;
  }
}

/** What a job object tells, in the order of a stream: its state last. */
function toEvents({ progress, outputs, status, queue_position }: Job): JobEvent[] {
  return [
    ...(progress === null ? [] : [{ type: 'progress' as const, data: progress }]),
    ...outputs.map((data) => ({ type: 'output' as const, data })),
    { type: 'status', data: { status, queue_position } },
  ];
}

/** Knows what was told: a stream that begins anew, and a look at the job, tell some of it again. */
function createMemory(): { isNew(event: JobEvent): boolean } {
  const outputs = new Set<string>();
  const last = new Map<string, string>();
  return {
    isNew({ type, data }) {
      if (type === 'output') return outputs.size < outputs.add(data.id).size;
      const text = JSON.stringify(data);
      if (last.get(type) === text) return false;
      last.set(type, text);
      return true;
    },
  };
}
