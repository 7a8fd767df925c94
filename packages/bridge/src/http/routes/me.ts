import { randomBytes } from 'node:crypto';

import type { Me } from '@comfy-bridge/protocol';
import { Router } from 'express';
import type { Request } from 'express';

import type { Access } from '../../access/access.ts';
import { identityOf } from '../requests/identity.ts';
import type { GraphGuard } from '../requests/may-run-graphs.ts';
import { hasAccount, ownerOf } from '../requests/owner-of.ts';

export interface MeDeps {
  access: Pick<Access, 'required' | 'limitsOf'> & { keys: Pick<Access['keys'], 'get'> };
  graphs: GraphGuard;
  /** Where keys are off: whether the caller may do what operators do. */
  isOperator(request: Request): boolean;
}

export interface MeOptions {
  version: string;
  uploadMaxBytes: number;
  uploadMaxFiles: number;
  /** Of callers without a limit of their own; infinity: any number. */
  unfinishedJobs: number;
}

/** `GET /api/bridge/me`: who the caller is to the bridge, so that a page shows what it may do and nothing else. */
export function createMeRoutes({ access, graphs, isOperator }: MeDeps, options: MeOptions): Router {
  const router = Router();
  router.get('/api/bridge/me', (request, response) => {
    const identity = identityOf(request);
    const keyId = identity?.keyId ?? null;
    const key = keyId === null ? undefined : access.keys.get(keyId)?.key;
    const expiresAt = key?.expiresAt ?? null;
    const workflows = identity?.workflows ?? null;
    const limits = access.limitsOf(ownerOf(request));
    const unfinished = limits.unfinishedJobs ?? options.unfinishedJobs;
    const me: Me = {
      keys: access.required,
      role: identity?.role ?? (isOperator(request) ? 'operator' : 'client'),
      name: key?.name ?? null,
      key_id: keyId,
      expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      workflows: workflows === null ? null : [...workflows],
      version: options.version,
      limits: {
        upload_max_bytes: Math.min(options.uploadMaxBytes, limits.uploadBytes ?? Infinity),
        upload_max_files: options.uploadMaxFiles,
        unfinished_jobs: unfinished === Infinity ? null : unfinished,
      },
      owner_token: hasAccount(request) ? null : randomBytes(24).toString('base64url'),
      any_workflow: graphs.mayRunGraphs(request),
    };
    response.json(me);
  });
  return router;
}
