import type { Registry } from 'prom-client';

import { backendStatuses, statusOf } from '../../backends/backend-status.ts';
import { settleBreaker, slotsAllowed } from '../../backends/breaker.ts';
import { foreignPrompts } from '../../backends/fleet.ts';
import type { Backend, Fleet } from '../../backends/fleet.ts';
import { isPausedByOwner } from '../../backends/lending.ts';
import { showGauge } from './show-gauge.ts';

export interface BackendMetricsDeps {
  fleet: Pick<Fleet, 'backends'>;
  slotsPerBackend: number;
  now: () => number;
}

const breakerStates = ['closed', 'open', 'half-open'] as const;

/** The fleet as it stands when somebody asks. Names of backends are the only labels beside closed sets. */
export function showBackends(registers: Registry[], deps: BackendMetricsDeps): void {
  const { fleet, now } = deps;
  showGauge(registers, {
    name: 'comfy_bridge_backends',
    help: 'Backends of the fleet, by state.',
    labelNames: ['state'],
    read(gauge) {
      const current = fleet.backends.map(statusOf);
      for (const state of backendStatuses)
        gauge.set({ state }, current.filter((status) => status === state).length);
    },
  });
  showGauge(registers, {
    name: 'comfy_bridge_backend_state',
    help: 'One of these is 1 for each backend: what it is doing.',
    labelNames: ['backend', 'state'],
    read(gauge) {
      for (const backend of fleet.backends) {
        const current = statusOf(backend);
        for (const state of backendStatuses)
          gauge.set({ backend: backend.name, state }, state === current ? 1 : 0);
      }
    },
  });
  showGauge(registers, {
    name: 'comfy_bridge_backend_breaker_state',
    help: 'One of these is 1 for each backend: whether it is trusted with work (closed), gets none (open), or one job to show (half_open).',
    labelNames: ['backend', 'state'],
    read(gauge) {
      for (const { name: backend, breaker } of fleet.backends) {
        const current = settleBreaker(breaker, now()).state;
        for (const state of breakerStates)
          gauge.set({ backend, state: state.replace('-', '_') }, state === current ? 1 : 0);
      }
    },
  });
  for (const { name, help, valueOf } of perBackend(deps)) {
    showGauge(registers, {
      name: `comfy_bridge_backend_${name}`,
      help,
      labelNames: ['backend'],
      read(gauge) {
        for (const backend of fleet.backends) gauge.set({ backend: backend.name }, valueOf(backend));
      },
    });
  }
}

interface BackendFigure {
  name: string;
  help: string;
  valueOf(backend: Backend): number;
}

function perBackend({ fleet, slotsPerBackend, now }: BackendMetricsDeps): readonly BackendFigure[] {
  function slotsOf(backend: Backend): number {
    if (statusOf(backend) !== 'ready') return 0;
    const isLast = fleet.backends.length === 1;
    const allowed = slotsAllowed(settleBreaker(backend.breaker, now()), slotsPerBackend, isLast);
    return Math.min(allowed, backend.lending?.maxQueue ?? Infinity);
  }
  return [
    { name: 'slots', help: 'Jobs that it may be given at a time, as things stand.', valueOf: slotsOf },
    { name: 'slots_used', help: 'Jobs that it has.', valueOf: ({ slots }) => slots.size },
    {
      name: 'queue_remaining',
      help: "Prompts in its queue at the last look, everybody's.",
      valueOf: ({ queueRemaining }) => queueRemaining,
    },
    {
      name: 'foreign_prompts',
      help: 'Prompts in its queue that this bridge did not send.',
      valueOf: foreignPrompts,
    },
    {
      name: 'memory_bytes',
      help: 'Memory of the device that it works on; 0 while unknown.',
      valueOf: ({ memoryBytes }) => memoryBytes,
    },
    {
      name: 'memory_usable_bytes',
      help: 'What it could use of that at the last look; 0 while unknown.',
      valueOf: ({ usableMemoryBytes }) => usableMemoryBytes,
    },
    {
      name: 'lent',
      help: '1 for a machine that its owner lends.',
      valueOf: ({ lending }) => (lending ? 1 : 0),
    },
    {
      name: 'paused_by_owner',
      help: '1 while its owner has it paused.',
      valueOf: (backend) => (isPausedByOwner(backend) ? 1 : 0),
    },
    {
      name: 'suspicions',
      help: 'Things that it lists and then did not have.',
      valueOf: ({ suspicions }) => suspicions.length,
    },
  ];
}
