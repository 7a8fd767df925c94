/** Why a call to a ComfyUI did not give a usable answer. Never shown to a client as it is. */
export type ComfyFailure =
  | 'unreachable' // refused, reset, DNS, TLS, closed mid-answer
  | 'timeout' // no answer within the call's deadline
  | 'status' // answered, with a status that the call cannot use
  | 'malformed' // answered, but not in the shape of that route
  | 'too-large' // answered more than the call accepts
  | 'aborted'; // given up by us

/** One kind of error for every call in `comfy/`, so that callers decide by `failure` and never by message. */
export class ComfyError extends Error {
  override readonly name = 'ComfyError';
  readonly failure: ComfyFailure;
  /** HTTP status where there was one. */
  readonly status: number | undefined;

  constructor(failure: ComfyFailure, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.status = options.status;
  }
}
