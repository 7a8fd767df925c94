/** The code of a system error, such as `ENOSPC`; empty for any other. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether a call failed because of what the disk or its rules do not allow, rather than by a mistake of ours. */
export function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && errorCode(error) !== '';
}
