import { Router } from 'express';
import type { RequestHandler } from 'express';

import { foreignPrompts } from '../../backends/fleet.ts';
import type { Backend, Fleet } from '../../backends/fleet.ts';
import { BridgeError } from '../../errors.ts';
import type { Events } from '../../events.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { optionalClientId } from '../client-id.ts';

export interface FleetRoutesDeps {
  fleet: Fleet;
  ledger: JobLedger;
  events: Events;
  requireOperator: RequestHandler;
  /** Guards `/free`, which the original left open: closed only when an operator token is set. */
  guardFree: RequestHandler;
}

/** `POST /free` and, for operators, `/api/bridge/backends`: how each is, and drain or resume one. */
export function createFleetRoutes({
  fleet,
  ledger,
  events,
  requireOperator,
  guardFree,
}: FleetRoutesDeps): Router {
  const router = Router();

  router.post('/free', guardFree, async (request, response) => {
    const clientId = optionalClientId(request);
    const targets = clientId === undefined ? fleet.ready() : [await servingBackend(clientId)];
    await Promise.allSettled(
      targets.map((backend) =>
        backend.client.free({ unloadModels: true, freeMemory: true, deadlineMs: 5_000 }),
      ),
    );
    response.json({ detail: `server memory free now / ${clientId ?? 'ALL'}` });
  });

  async function servingBackend(clientId: string): Promise<Backend> {
    const job = await ledger.latestOf(clientId);
    if (job === undefined) throw new BridgeError('unknown_client', `there is no job of clientId ${clientId}`);
    const { state } = job;
    const backend = 'backend' in state ? fleet.find(state.backend) : undefined;
    if (backend === undefined) {
      throw new BridgeError('bad_request', `no ComfyUI serves clientId ${clientId} at the moment`);
    }
    return backend;
  }

  router.get('/api/bridge/backends', requireOperator, (_request, response) => {
    response.json(fleet.backends.map(describeBackend));
  });

  for (const [action, isDraining] of [
    ['drain', true],
    ['resume', false],
  ] as const) {
    router.post(`/api/bridge/backends/:name/${action}`, requireOperator, (request, response) => {
      const { name } = request.params;
      const backend = typeof name === 'string' ? fleet.find(name) : undefined;
      if (backend === undefined) throw new BridgeError('not_found', 'there is no backend of that name');
      backend.isDraining = isDraining;
      events.emit('backend:capacity', { backend: backend.name });
      response.json(describeBackend(backend));
    });
  }

  return router;
}

function describeBackend(backend: Backend) {
  const { name, state, version, definitions, queueRemaining, slots } = backend;
  return {
    name,
    status: backend.isDraining && state.status === 'ready' ? 'draining' : state.status,
    trust: backend.breaker.state,
    since: 'since' in state ? new Date(state.since).toISOString() : null,
    reason: state.status === 'lost' ? state.reason : null,
    version,
    node_classes: definitions?.size ?? null,
    queue_remaining: queueRemaining,
    foreign_prompts: foreignPrompts(backend),
    jobs: [...slots.values()].map(({ jobId, workflow, executingSince }) => ({
      id: jobId,
      workflow,
      executing_since: executingSince === null ? null : new Date(executingSince).toISOString(),
    })),
  };
}
