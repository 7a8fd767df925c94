import type { Backend } from './fleet.ts';
import { isPausedByOwner } from './lending.ts';

export const backendStatuses = [
  'connecting',
  'ready',
  'lost',
  'quarantined',
  'draining',
  'paused',
  'leaving',
] as const;
export type BackendStatus = (typeof backendStatuses)[number];

/** Going away comes first, then whether it answers, whether it is believed, and what its operator or its owner wants of it. */
export function statusOf(backend: Backend): BackendStatus {
  const { isLeaving, state, settings } = backend;
  if (isLeaving) return 'leaving';
  if (state.status !== 'ready') return state.status;
  if (backend.quarantine !== null) return 'quarantined';
  if (settings.mode !== 'active') return settings.mode;
  return isPausedByOwner(backend) ? 'paused' : 'ready';
}
