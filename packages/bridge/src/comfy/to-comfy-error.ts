import { RefusedAddressError } from '../lib/checked-lookup.ts';
import { ComfyError, type ComfyFailure } from './comfy-error.ts';

const failures = new Map<string, ComfyFailure>([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'malformed'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'malformed'],
  ['UND_ERR_ABORTED', 'aborted'],
  ['UND_ERR_DESTROYED', 'aborted'],
  ['UND_ERR_CLOSED', 'aborted'],
  ['ABORT_ERR', 'aborted'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'unreachable'],
]);

/** What OpenSSL and Node.js call certificates that they do not trust. */
const untrusted = /CERT|UNABLE_TO_VERIFY/;

/** What went wrong with a call, by the code of the HTTP client's error. */
export function toComfyError(error: unknown, label: string): ComfyError {
  if (error instanceof ComfyError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  // A pool that was destroyed with our own error wraps it in none; a stream may.
  if (cause.cause instanceof ComfyError) return cause.cause;
  if (cause instanceof RefusedAddressError)
    return new ComfyError('unreachable', `its address is one that may not be called (${cause.kind})`, {
      cause,
    });
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (untrusted.test(code))
    return new ComfyError('unreachable', `its certificate is not trusted (${code})`, { cause });
  const noHttp = cause.name === 'HTTPParserError';
  const failure = failures.get(code) ?? (noHttp ? 'malformed' : 'unreachable');
  return new ComfyError(failure, `${label}: ${code || cause.name}`, { cause });
}
