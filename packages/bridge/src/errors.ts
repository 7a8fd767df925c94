import type { ErrorCode } from '@comfy-bridge/protocol';

interface ErrorDefinition {
  /** HTTP status of the compatibility API. */
  status: number;
  /** True where the same request may succeed later; answered with `Retry-After`. */
  retryable: boolean;
}

/** The closed table of refusals. `http/error-handler.ts` is the only place that turns one into an answer. */
export const errorTable = {
  bad_request: { status: 400, retryable: false },
  unknown_workflow: { status: 400, retryable: false },
  invalid_input: { status: 400, retryable: false },
  job_unfinished: { status: 400, retryable: false },
  job_failed: { status: 400, retryable: false },
  unknown_client: { status: 400, retryable: false },
  file_refused: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  conflict: { status: 409, retryable: false },
  too_large: { status: 413, retryable: false },
  limited: { status: 429, retryable: true },
  queue_full: { status: 429, retryable: true },
  no_backend: { status: 503, retryable: true },
  unavailable: { status: 503, retryable: true },
  draining: { status: 503, retryable: true },
  storage_full: { status: 507, retryable: true },
  internal: { status: 500, retryable: false },
} as const satisfies Record<ErrorCode, ErrorDefinition>;

export interface BridgeErrorOptions {
  cause?: unknown;
  /** Seconds for the `Retry-After` header of a retryable refusal; default 5. */
  retryAfter?: number;
}

/**
 * A refusal meant for the caller: its message is sent as it is, so it must say what is wrong and what to do, and never
 * hold a path, a stack or a backend's address. Anything else that is thrown is a bug and is answered without its message.
 */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly retryAfter: number;

  constructor(code: ErrorCode, message: string, options: BridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter ?? 5;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}
