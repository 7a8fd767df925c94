import { createFleetChanges } from './backends/change-fleet.ts';
import type { FleetChanges } from './backends/change-fleet.ts';
import { createFleet } from './backends/fleet.ts';
import type { Fleet } from './backends/fleet.ts';
import { createFleetRecords } from './backends/fleet-records.ts';
import { watchFleet } from './backends/watch-fleet.ts';
import type { FleetWatch } from './backends/watch-fleet.ts';
import { createComfyClient } from './comfy/comfy-client.ts';
import type { BridgeConfig } from './config/bridge-config.ts';
import type { Events } from './events.ts';
import type { JobLedger } from './jobs/job-ledger.ts';
import type { JobStore } from './jobs/job-store.ts';
import { createFleetRules } from './lib/check-address.ts';
import type { Records } from './lib/records.ts';
import type { Logger } from './logging.ts';
import { loadWorkflowRequirements } from './workflows/catalog/workflow-requirements.ts';
import type { WorkflowRequirements } from './workflows/catalog/workflow-requirements.ts';

export interface FleetParts extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly watch: FleetWatch;
  readonly changes: FleetChanges;
  readonly requirements: WorkflowRequirements;
}

export interface BuildFleetDeps {
  store: JobStore;
  ledger: JobLedger;
  events: Events;
  moveAway(backend: string, which: 'waiting' | 'all' | 'even-done'): void;
  log: Logger;
  now: () => number;
}

/** A part of the composition root: the fleet as the configuration and operators want it, with all that looks after it. */
export async function buildFleet(
  { servers, networks, connectTimeoutMs, ...watchOptions }: BridgeConfig['backends'],
  { store, ledger, events, moveAway, log, now }: BuildFleetDeps,
): Promise<FleetParts> {
  const members = servers.map(({ name, url, token, pin }) => ({
    name,
    endpoint: {
      url,
      ...(token !== undefined && { token: token.reveal() }),
      ...(pin !== undefined && { pin }),
    },
  }));
  const addresses = createFleetRules(networks);
  const fleet = createFleet(members, (endpoint) =>
    createComfyClient(endpoint, { connectTimeoutMs, addresses }),
  );
  const records = createFleetRecords({ records: recordsOf(store, 'backends'), log });
  await records.load(fleet);
  const requirements = await loadWorkflowRequirements({
    records: recordsOf(store, 'workflow-requirements'),
    events,
    log,
  });

  function hasJobs(backend: string): boolean {
    for (const { state } of ledger.unfinished())
      if ('backend' in state && state.backend === backend) return true;
    return false;
  }

  await using parts = new AsyncDisposableStack();
  const watch = parts.use(watchFleet({ fleet, events, log }, { ...watchOptions, now }));
  const { probeSoon } = watch;
  const changes = createFleetChanges({ fleet, events, records, hasJobs, moveAway, probeSoon, log });
  parts.defer(() => changes.close());
  const built = parts.move();
  return { fleet, watch, changes, requirements, [Symbol.asyncDispose]: () => built.disposeAsync() };
}

function recordsOf(store: JobStore, collection: string): Records {
  return {
    read: () => store.readRecords(collection),
    write: (key, text) => store.writeRecords(collection, new Map([[key, text]])),
    remove: (key) => store.removeRecords(collection, [key]),
  };
}
