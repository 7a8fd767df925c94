import { Router } from 'express';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import type { V2Context } from '../../jobs/v2-view.ts';
import type { JobGroups } from '../../scheduling/submit/job-groups.ts';
import { describeGroup } from '../answers/describe-group.ts';
import { mayTouch } from '../requests/identity.ts';
import { originOf } from '../requests/origin-of.ts';

export interface JobGroupRoutesDeps {
  groups: JobGroups;
  contextOf(job: Job, origin: string): V2Context;
  basePath: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** `GET /api/bridge/groups/{id}` and its cancel. The id is a random UUID: whoever knows it was told it; with keys, only its own key is. */
export function createJobGroupRoutes({ groups, contextOf, basePath }: JobGroupRoutesDeps): Router {
  const router = Router();

  async function require(request: Request) {
    const { id } = request.params;
    const found = typeof id === 'string' && uuid.test(id) ? await groups.find(id) : undefined;
    if (found === undefined || !mayTouch(request, found.group.account))
      throw new BridgeError('not_found', 'there is no such group of jobs, or all of its jobs have expired');
    return found;
  }

  async function describe(request: Request) {
    const { group, jobs } = await require(request);
    const origin = originOf(request);
    return describeGroup(group, jobs, { basePath, contextOf: (job) => contextOf(job, origin) });
  }

  router.get('/api/bridge/groups/:id', async (request, response) => {
    response.json(await describe(request));
  });

  router.post('/api/bridge/groups/:id/cancel', async (request, response) => {
    const { group } = await require(request);
    await groups.cancel(group);
    response.json(await describe(request));
  });

  return router;
}
