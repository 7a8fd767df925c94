import type { NamedSubmit } from '@comfy-bridge/protocol';
import type { Request } from 'express';

import { BridgeError } from '../../errors.ts';
import type { JobGroup } from '../../jobs/group-view.ts';
import { parseJobId } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import type { JobLedger } from '../../jobs/job-ledger.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import type { JobGroups } from '../../scheduling/submit/job-groups.ts';
import type { NamedSubmission, SubmitNamed } from '../../scheduling/submit/submit-named.ts';
import type { Idempotency } from './idempotency.ts';
import { readCaller } from './read-caller.ts';
import { withWebhook } from './with-webhook.ts';
import type { WebhookRegistry } from './with-webhook.ts';

export interface SubmitOnceDeps {
  submitNamed: SubmitNamed;
  groups: JobGroups;
  ledger: Pick<JobLedger, 'get'>;
  idempotency: Pick<Idempotency, 'once'>;
  webhooks: WebhookRegistry;
  isOperator(request: Request): boolean;
}

export interface Submitted {
  /** In a group, those that are gone are undefined. */
  jobs: readonly (Job | undefined)[];
  group: JobGroup | undefined;
  /** Made by an earlier request with the same `Idempotency-Key`. */
  replayed: boolean;
}

/** Runs a request for a published workflow, once for each `Idempotency-Key`, and says where its end is to be told. */
export function createSubmitOnce(deps: SubmitOnceDeps) {
  async function submit(
    request: Request,
    alias: string,
    body: NamedSubmit,
    plan: (id: string) => Promise<void>,
  ): Promise<NamedSubmission> {
    const named = {
      ...readCaller(request, deps.isOperator),
      previews: body.previews ?? false,
      workflow: alias,
      inputs: body.inputs ?? {},
      combine: body.combine ?? 'product',
    } as const;
    return await withWebhook(deps.webhooks, request, body.webhook, (prepare) =>
      deps.submitNamed(named, {
        async prepare(job, { of }) {
          await prepare(job);
          if (of === 1) await plan(`job:${job.id}`);
        },
      }),
    );
  }

  async function find(id: string): Promise<Omit<Submitted, 'replayed'>> {
    const [kind, uuid = ''] = id.split(':');
    if (kind === 'group') {
      const found = await deps.groups.find(uuid);
      if (found !== undefined) return found;
    } else {
      const job = await deps.ledger.get(parseJobId(uuid));
      if (job !== undefined) return { jobs: [job], group: undefined };
    }
    throw new BridgeError('not_found', 'what was made with this Idempotency-Key has expired');
  }

  return async (request: Request, alias: string, body: NamedSubmit): Promise<Submitted> => {
    const made: { submission: NamedSubmission | undefined } = { submission: undefined };
    const scope = `POST /api/bridge/workflows/${alias}/jobs`;
    const { id, replayed } = await deps.idempotency.once(request, scope, stringifyLossless(body), {
      async run(plan) {
        made.submission = await submit(request, alias, body, plan);
        return made.submission.kind === 'job'
          ? `job:${made.submission.job.id}`
          : `group:${made.submission.group.id}`;
      },
      isMade: async (id) => (await find(id).catch(() => undefined)) !== undefined,
    });
    const { submission } = made;
    if (submission === undefined) return { ...(await find(id)), replayed };
    if (submission.kind === 'job') return { jobs: [submission.job], group: undefined, replayed };
    return { jobs: submission.jobs, group: submission.group, replayed };
  };
}

export type SubmitOnce = ReturnType<typeof createSubmitOnce>;
