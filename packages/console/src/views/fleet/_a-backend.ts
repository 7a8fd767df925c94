import type { FleetBackend } from './fleet-backend.ts';

/** For tests: one that is ready and well. */
export function aBackend(own: Partial<FleetBackend> = {}): FleetBackend {
  return {
    name: 'studio',
    address: '127.0.0.1:8188',
    status: 'ready',
    trust: 'closed',
    since: '2026-01-01T00:00:00.000Z',
    reason: null,
    version: '0.3.64',
    node_classes: 49,
    offer_problem: null,
    queue_remaining: 0,
    foreign_prompts: 0,
    memory: { total_bytes: null, usable_bytes: null },
    loaded_models: [],
    suspicions: [],
    mode: 'active',
    weight: 1,
    tags: [],
    workflows: null,
    source: 'config',
    lending: null,
    quarantine: null,
    doubts: [],
    canary: null,
    jobs: [],
    success: { succeeded: 0, failed: 0, lost: 0, since: '2026-01-01T00:00:00.000Z' },
    last_errors: [],
    free_memory_bytes: null,
    gpu: null,
    python_version: null,
    pytorch_version: null,
    ...own,
  };
}
