import type { BridgeJob } from '@comfy-bridge/protocol';

/** For tests: `at(3)` is three seconds after the job came. */
export const cameAt = Date.parse('2026-01-01T00:00:00.000Z');
export const at = (seconds: number): string => new Date(cameAt + seconds * 1000).toISOString();

export function aJob(own: Partial<BridgeJob> = {}): BridgeJob {
  return {
    id: 'job',
    status: 'queued',
    created_at: at(0),
    started_at: null,
    completed_at: null,
    expires_at: at(3600),
    queue_position: 0,
    progress: null,
    outputs: [],
    error: null,
    urls: { self: '/a', events: '/b', cancel: '/c' },
    workflow: 'upscale',
    client_id: null,
    inputs_summary: null,
    priority: 0,
    eta: null,
    phase: null,
    waits_because: null,
    attempts: [],
    timings: { queue_ms: null, run_ms: null, delivery_ms: null },
    delivered_at: null,
    finished: false,
    ...own,
  };
}

export function anAttempt(own: Partial<BridgeJob['attempts'][number]> = {}): BridgeJob['attempts'][number] {
  return {
    number: 1,
    backend: 'a',
    outcome: null,
    started_at: at(1),
    executing_at: null,
    ended_at: null,
    ...own,
  };
}
