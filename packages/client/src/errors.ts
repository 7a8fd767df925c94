import type { Job } from './wire.ts';

export interface BridgeErrorOptions {
  /** HTTP status; 0 when the server gave no answer. */
  status?: number;
  details?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds, from `Retry-After`. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** Everything that goes wrong, except an abort: that rejects with the reason of the signal. `message` is fit for people. */
export class BridgeError extends Error {
  override name = 'BridgeError';
  /** What went wrong, for programs: the server's code, or one of ours. */
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, options: BridgeErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status ?? 0;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
  }
}

/** The server could not be reached, or did not answer, for as long as it was tried. */
export class ConnectionError extends BridgeError {
  override name = 'ConnectionError';

  constructor(message: string, cause: unknown) {
    super('connection_failed', message, { cause });
  }
}

/** The job ran and failed, or was forgotten before its results were fetched; `code` and `message` are those of the job. */
export class JobFailedError extends BridgeError {
  override name = 'JobFailedError';
  readonly job: Job;

  constructor(job: Job) {
    super(job.error?.code ?? job.status, job.error?.message ?? `the job has ${job.status}`);
    this.job = job;
  }
}

/** Somebody canceled the job. */
export class JobCanceledError extends BridgeError {
  override name = 'JobCanceledError';
  readonly job: Job;

  constructor(job: Job) {
    super('canceled', 'the job was canceled');
    this.job = job;
  }
}

/** What an answer with an error status says; of proxies and other servers too, which do not speak our envelope. */
export async function toRefusal(response: Response): Promise<BridgeError> {
  const { code, message, details } = parseEnvelope(await response.text().catch(() => ''));
  return new BridgeError(
    code ?? `http_${response.status}`,
    message ?? `the server answered ${response.status}`,
    { status: response.status, details, retryAfter: parseRetryAfter(response) },
  );
}

interface Envelope {
  code?: string;
  message?: string;
  details?: Readonly<Record<string, unknown>>;
}

/** `{"error": {"code", "message", "details"?}}`; nothing of it when the text is something else. */
function parseEnvelope(text: string): Envelope {
  try {
    const { error } = JSON.parse(text) as { error?: Envelope };
    return typeof error?.code === 'string' && typeof error.message === 'string' ? error : {};
  } catch {
    return {};
  }
}

/** Seconds of `Retry-After`; a date counts from now. */
export function parseRetryAfter({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}
