import { BridgeError } from '../../errors.ts';
import { codeOf } from '../../lib/disk.ts';

/** What the file system says of the workflow folder, as a refusal where an operator can do something about it. */
export function toPublishError(error: unknown): unknown {
  const cause = error;
  switch (codeOf(error)) {
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'EBUSY':
      return new BridgeError(
        'unavailable',
        'the bridge may not write to its workflow folder, or to where it keeps versions: let it write to WORKFLOW_DIR, to WORKFLOW_ALIAS and to DATA_DIR, or put the file there by hand',
        { cause, retryAfter: 60 },
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new BridgeError('storage_full', 'there is no room for this workflow on the disk', {
        cause,
        retryAfter: 30,
      });
    case 'EMFILE':
    case 'ENFILE':
    case 'EIO':
      return new BridgeError('unavailable', 'the workflow folder cannot be written now: try again', {
        cause,
      });
    default:
      return error;
  }
}
