import type { ErrorCode } from '@comfy-bridge/protocol';

interface ErrorDefinition {
  /** HTTP status of the compatibility API and of our own. */
  status: number;
  /** True where the same request may succeed later; answered with `Retry-After`. */
  retryable: boolean;
  /** What it is below `/api/v2`, which knows only the statuses of the official contract. */
  v2: readonly [status: number, code: string];
}

/** The closed table of refusals. `http/error-handler.ts` is the only place that turns one into an answer. */
export const errorTable = {
  bad_request: { status: 400, retryable: false, v2: [422, 'invalid_request'] },
  unknown_workflow: { status: 400, retryable: false, v2: [422, 'invalid_workflow'] },
  invalid_input: { status: 400, retryable: false, v2: [422, 'invalid_workflow'] },
  job_unfinished: { status: 400, retryable: false, v2: [422, 'invalid_request'] },
  job_failed: { status: 400, retryable: false, v2: [422, 'invalid_request'] },
  // In place of the result that a caller has waited for.
  run_failed: { status: 422, retryable: false, v2: [422, 'invalid_request'] },
  unknown_client: { status: 400, retryable: false, v2: [404, 'not_found'] },
  file_refused: { status: 400, retryable: false, v2: [422, 'file_refused'] },
  unauthorized: { status: 401, retryable: false, v2: [401, 'unauthorized'] },
  forbidden: { status: 403, retryable: false, v2: [403, 'forbidden'] },
  not_found: { status: 404, retryable: false, v2: [404, 'not_found'] },
  conflict: { status: 409, retryable: false, v2: [409, 'conflict'] },
  too_large: { status: 413, retryable: false, v2: [422, 'too_large'] },
  limited: { status: 429, retryable: true, v2: [429, 'rate_limited'] },
  queue_full: { status: 429, retryable: true, v2: [429, 'queue_full'] },
  no_capable_backend: { status: 503, retryable: true, v2: [422, 'invalid_workflow'] },
  // The contract's own words for a fleet that cannot take work yet.
  no_backend: { status: 503, retryable: true, v2: [429, 'deployment_not_ready'] },
  unavailable: { status: 503, retryable: true, v2: [500, 'upstream_error'] },
  draining: { status: 503, retryable: true, v2: [429, 'deployment_not_ready'] },
  storage_full: { status: 507, retryable: true, v2: [500, 'upstream_error'] },
  invalid_workflow: { status: 422, retryable: false, v2: [422, 'invalid_workflow'] },
  workflow_format_ui: { status: 422, retryable: false, v2: [422, 'workflow_format_ui'] },
  missing_asset: { status: 422, retryable: false, v2: [422, 'missing_asset'] },
  hash_mismatch: { status: 409, retryable: false, v2: [409, 'hash_mismatch'] },
  blob_not_found: { status: 404, retryable: false, v2: [404, 'blob_not_found'] },
  idempotency_key_reuse: { status: 422, retryable: false, v2: [422, 'idempotency_key_reuse'] },
  asset_in_use: { status: 409, retryable: false, v2: [409, 'asset_in_use'] },
  range_not_satisfiable: { status: 416, retryable: false, v2: [416, 'range_not_satisfiable'] },
  too_many_streams: { status: 429, retryable: true, v2: [429, 'too_many_streams'] },
  internal: { status: 500, retryable: false, v2: [500, 'upstream_error'] },
} as const satisfies Record<ErrorCode, ErrorDefinition>;

export interface BridgeErrorOptions {
  cause?: unknown;
  /** Seconds for the `Retry-After` header of a retryable refusal; default 5. */
  retryAfter?: number;
  /** What a program can make use of, beside the message. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * A refusal meant for the caller: its message is sent as it is, so it must say what is wrong and what to do, and never
 * hold a path, a stack or a backend's address. Anything else that is thrown is a bug and is answered without its message.
 */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly retryAfter: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: BridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfter = options.retryAfter ?? 5;
    this.details = options.details;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}
