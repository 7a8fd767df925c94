import type { BackendActivity } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';

import { backendChangeSchema, newBackendSchema } from '../../backends/backend-settings.ts';
import type { FleetChanges } from '../../backends/change-fleet.ts';
import type { Backend, BackendSettings, Fleet } from '../../backends/fleet.ts';
import { unloadModels } from '../../backends/unload-models.ts';
import { BridgeError } from '../../errors.ts';
import type { DescribeBackend } from '../answers/describe-backend.ts';
import type { FleetHistory } from '../../scheduling/fleet-history.ts';
import { readBody } from '../requests/read-body.ts';

export interface BackendRoutesDeps {
  fleet: Fleet;
  changes: FleetChanges;
  requireOperator: RequestHandler;
  describe: DescribeBackend;
  history: Pick<FleetHistory, 'samples' | 'sampleMs'>;
}

const path = '/api/bridge/backends';

/** `/api/bridge/backends`, for operators: the fleet, and everything that they may do to it while the bridge runs. */
export function createBackendRoutes(deps: BackendRoutesDeps): Router {
  const { fleet, changes, requireOperator, history } = deps;
  const router = Router();
  router.use(path, requireOperator);

  function find(request: Request): Backend {
    const backend = fleet.find(nameOf(request));
    if (backend === undefined) throw new BridgeError('not_found', 'there is no backend of that name');
    return backend;
  }

  const { short: describe, full: describeFully } = deps.describe;

  router.get(path, (_request, response) => {
    response.json(fleet.backends.map((backend) => describeFully(backend)));
  });

  router.get(`${path}/:name`, (request, response) => {
    response.json(describeFully(find(request)));
  });

  router.get(`${path}/:name/activity`, (request, response) => {
    const { name } = find(request);
    const activity: BackendActivity = {
      samples: history.samples(name).map((sample) => ({
        at: new Date(sample.at).toISOString(),
        memory_used_bytes: sample.memoryUsedBytes,
        memory_total_bytes: sample.memoryTotalBytes,
        queue: sample.queue,
        running: sample.running,
      })),
      interval_seconds: history.sampleMs / 1000,
    };
    response.json(activity);
  });

  router.post(path, async (request, response) => {
    const wanted = await readBody(
      request,
      newBackendSchema,
      '{"url": "192.168.1.22:8188", "name": "studio"}',
    );
    response.status(201).json(describe(await changes.add(wanted)));
  });

  router.patch(`${path}/:name`, async (request, response) => {
    const { name } = find(request);
    const change = await readBody(request, backendChangeSchema, '{"weight": 2, "tags": ["gpu-24gb"]}');
    response.json(describe(await changes.change(name, change)));
  });

  const modes: Record<string, BackendSettings['mode']> = {
    drain: 'draining',
    pause: 'paused',
    resume: 'active',
  };
  for (const [action, mode] of Object.entries(modes)) {
    router.post(`${path}/:name/${action}`, async (request, response) => {
      response.json(describe(await changes.change(nameOf(request), { mode })));
    });
  }

  router.post(`${path}/:name/free`, async (request, response) => {
    const backend = find(request);
    try {
      await unloadModels(backend);
    } catch (cause) {
      throw new BridgeError('unavailable', 'that backend does not answer at the moment', { cause });
    }
    response.json(describe(backend));
  });

  router.delete(`${path}/:name`, async (request, response) => {
    const backend = await changes.leave(nameOf(request), { now: readNow(request) });
    // One without jobs is gone by now; this is what was asked of it.
    response.status(202).json({ ...describe(backend), returns_at_next_start: backend.source === 'config' });
  });

  return router;
}

function nameOf(request: Request): string {
  const { name } = request.params;
  return typeof name === 'string' ? name : '';
}

function readNow(request: Request): boolean {
  const { now = 'false' } = request.query;
  if (now !== 'true' && now !== 'false') throw new BridgeError('bad_request', 'now is true or false');
  return now === 'true';
}
