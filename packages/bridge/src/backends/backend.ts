/**
 * One ComfyUI server of the fleet, as far as the bridge knows it.
 *
 *   connecting ──probe-ok──► ready ◄──probe-ok── lost
 *       └─────probe-failed───►│──────probe-failed─►┘
 *
 * `ready` and nothing else takes new work. A lost backend keeps its definitions: it may be asked again soon, and what it
 * could run still tells whether a workflow can ever run.
 */
export type BackendState =
  | { status: 'connecting' }
  | { status: 'ready'; since: number }
  | { status: 'lost'; since: number; failures: number; reason: string };

export type BackendChange =
  | { type: 'probe-ok'; at: number }
  | { type: 'probe-failed'; at: number; reason: string };

/** Pure: the state after a probe. The same object comes back when nothing changed. */
export function transitionBackend(state: BackendState, change: BackendChange): BackendState {
  if (change.type === 'probe-ok')
    return state.status === 'ready' ? state : { status: 'ready', since: change.at };
  if (state.status === 'lost') return { ...state, failures: state.failures + 1, reason: change.reason };
  return { status: 'lost', since: change.at, failures: 1, reason: change.reason };
}

/** How long to wait before the next probe, in ms: the interval while all is well, growing to `maxMs` while lost. */
export function probeDelayMs(state: BackendState, intervalMs: number, maxMs: number): number {
  if (state.status !== 'lost') return intervalMs;
  return Math.min(maxMs, intervalMs * 2 ** Math.min(state.failures - 1, 16));
}
