/** Why a request is refused. `packages/bridge/src/errors.ts` maps each to an HTTP status. */
export const errorCodes = [
  'bad_request',
  'unknown_workflow',
  'invalid_input',
  'job_unfinished',
  'job_failed',
  'unknown_client',
  'file_refused',
  'unauthorized',
  'forbidden',
  'not_found',
  'conflict',
  'too_large',
  'limited',
  'queue_full',
  'no_backend',
  'unavailable',
  'draining',
  'storage_full',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];
