import { keyChangeSchema, keyRotationSchema, newKeySchema } from '@comfy-bridge/protocol';
import type { CreatedKey, KeyList } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import type { z } from 'zod';

import type { KeyLimits, KnownKey } from '../../access/api-key.ts';
import { KeyBookError } from '../../access/key-book.ts';
import type { KeyRegistry } from '../../access/key-registry.ts';
import { BridgeError } from '../../errors.ts';
import { describeKey } from '../answers/describe-key.ts';
import { identityOf } from '../requests/identity.ts';
import { readBody } from '../requests/read-body.ts';

export interface KeyRoutesDeps {
  keys: KeyRegistry;
  requireOperator: RequestHandler;
  now: () => number;
}

const path = '/api/bridge/keys';

/** `/api/bridge/keys`, for operators: who may call the bridge. A secret is told once, where it is made. */
export function createKeyRoutes({ keys, requireOperator, now }: KeyRoutesDeps): Router {
  const router = Router();
  const describe = (known: KnownKey) => describeKey(known, now());
  const describeNew = ({ known, token }: { known: KnownKey; token: string }): CreatedKey => ({
    ...describe(known),
    key: token,
  });

  function find(request: Request): KnownKey {
    const known = keys.get(String(request.params['id']));
    if (known === undefined) throw noKey();
    return known;
  }

  /** What was revoked stays so. */
  function findLiving(request: Request): string {
    const { key, revokedAt } = find(request);
    if (revokedAt !== null) throw new BridgeError('conflict', 'this key was revoked: create a new one');
    return key.id;
  }

  function toExpiry(seconds: number | null | undefined) {
    if (seconds === undefined) return {};
    return { expiresAt: seconds === null ? null : now() + seconds * 1000 };
  }

  router.get(path, requireOperator, (_request, response) => {
    const list: KeyList = { keys: keys.list().map(describe) };
    response.json(list);
  });

  router.post(path, requireOperator, async (request, response) => {
    const body = await readBody(request, newKeySchema, '{"name": "shop", "role": "client"}');
    const { name, role, workflows, expires_in, limits } = body;
    const createdBy = identityOf(request)?.actor ?? 'operator';
    const wanted = { name, role, createdBy, ...toExpiry(expires_in), limits: toLimits(limits) };
    try {
      const created = await keys.create({ ...wanted, ...(workflows !== undefined && { workflows }) });
      response.status(201).json(describeNew(created));
    } catch (error) {
      if (error instanceof KeyBookError) throw new BridgeError('conflict', error.message, { cause: error });
      throw error;
    }
  });

  router.get(`${path}/:id`, requireOperator, (request, response) => {
    response.json(describe(find(request)));
  });

  router.patch(`${path}/:id`, requireOperator, async (request, response) => {
    const id = findLiving(request);
    const body = await readBody(request, keyChangeSchema, '{"role": "author", "expires_in": 7776000}');
    const { name, role, workflows, expires_in, limits } = body;
    const changed = await keys.change(id, {
      ...(name !== undefined && { name }),
      ...(role !== undefined && { role }),
      ...(workflows !== undefined && { workflows }),
      ...toExpiry(expires_in),
      limits: toLimits(limits),
    });
    if (changed === undefined) throw noKey();
    response.json(describe(changed));
  });

  router.post(`${path}/:id/rotate`, requireOperator, async (request, response) => {
    const id = findLiving(request);
    const { overlap } = await readBody(request, keyRotationSchema, '{"overlap": 3600}');
    const rotated = await keys.rotate(id, { overlapMs: overlap * 1000 });
    if (rotated === undefined) throw noKey();
    response.json(describeNew(rotated));
  });

  router.delete(`${path}/:id`, requireOperator, async (request, response) => {
    const revoked = await keys.revoke(find(request).key.id);
    if (revoked === undefined) throw noKey();
    response.json(describe(revoked));
  });

  return router;
}

type Limits = z.infer<typeof newKeySchema>['limits'];

/** What is not said stays as it is. */
function toLimits(limits: Limits = {}): Partial<KeyLimits> {
  const { requests_per_minute, unfinished_jobs, stored_bytes, upload_bytes } = limits;
  return {
    ...(requests_per_minute !== undefined && { requestsPerMinute: requests_per_minute }),
    ...(unfinished_jobs !== undefined && { unfinishedJobs: unfinished_jobs }),
    ...(stored_bytes !== undefined && { storedBytes: stored_bytes }),
    ...(upload_bytes !== undefined && { uploadBytes: upload_bytes }),
  };
}

function noKey(): BridgeError {
  return new BridgeError('not_found', 'there is no key of that id');
}
