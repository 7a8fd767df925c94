import { z } from 'zod';

import { v2JobSchema } from './v2.ts';

/** Ours beside the official contract: what operators and curious clients are told. Times are ISO 8601 in UTC. */

const timeSchema = z.iso.datetime();
const countSchema = z.int().nonnegative();
const msSchema = z.number();

/** One try of a job on one backend. */
const attemptSchema = z.strictObject({
  number: countSchema,
  backend: z.string().describe("The backend's public name."),
  outcome: z
    .enum(['succeeded', 'failed', 'lost', 'moved', 'canceled'])
    .nullable()
    .describe('null while it goes on; `moved`: it ended by no fault of anybody and counts as no try.'),
  started_at: timeSchema.nullable(),
  executing_at: timeSchema.nullable(),
  ended_at: timeSchema.nullable(),
});

/** When a job is expected to be done: in eight of ten cases between `earliest` and `latest`. */
export const etaSchema = z.strictObject({
  at: timeSchema.nullable(),
  earliest: timeSchema.nullable(),
  latest: timeSchema.nullable(),
  basis: z.enum(['measured', 'estimated', 'guessed']),
});

/** `GET /api/bridge/jobs/{id}`: the official job object, and where its time went. */
export const bridgeJobSchema = z.strictObject({
  ...v2JobSchema.shape,
  workflow: z
    .string()
    .describe('The alias, or `graph:` and a digest of the structure of a graph of its own.'),
  client_id: z.string().nullable(),
  inputs_summary: z
    .string()
    .nullable()
    .describe('For lists: how the first text that it was given begins; null when there is none.'),
  priority: z
    .number()
    .describe('Steps of five minutes: how much earlier than it did the job counts as come.'),
  eta: etaSchema.nullable(),
  phase: z.enum(['staging', 'executing', 'collecting']).nullable(),
  waits_because: z
    .string()
    .nullable()
    .describe(
      'For people: what each ComfyUI that could run it is up to, when none of them takes work; null while one does.',
    ),
  attempts: z.array(attemptSchema),
  timings: z.strictObject({
    queue_ms: msSchema.nullable(),
    run_ms: msSchema.nullable(),
    delivery_ms: msSchema.nullable(),
  }),
  delivered_at: timeSchema.nullable().describe('When `GET /history` delivered its results.'),
  finished: z.boolean(),
});
export type BridgeJob = z.infer<typeof bridgeJobSchema>;

/** `GET /api/bridge/jobs`. */
export const bridgeJobListSchema = z.strictObject({
  jobs: z.array(bridgeJobSchema),
  next: z.string().nullable().describe('The `after` of the next page; null on the last.'),
});

/** `POST /api/bridge/jobs/{id}/priority`. */
export const priorityRequestSchema = z.strictObject({
  priority: z
    .int()
    .min(-100)
    .max(100)
    .describe('Steps of five minutes: how much earlier than it did the job counts as come.'),
});

/** `GET /healthz`. */
export const healthSchema = z.strictObject({ status: z.literal('ok') });

/** `GET /readyz`. */
export const readinessSchema = z.strictObject({
  status: z.string().describe('`ready`, or why not.'),
  backends: z
    .strictObject({ ready: countSchema, all: countSchema })
    .describe('Where keys are required, they count as one to callers without a key.'),
});
export type Readiness = z.infer<typeof readinessSchema>;
