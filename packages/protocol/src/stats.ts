import { z } from 'zod';

const countSchema = z.int().nonnegative();

const endedSchema = z.strictObject({
  submitted: countSchema,
  succeeded: countSchema,
  failed: countSchema,
  canceled: countSchema,
});

const samplesSchema = z.strictObject({
  count: countSchema.describe('Of how many jobs: the last 200 at the most.'),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
});

/** `GET /api/bridge/stats`: what people ask of a bridge that runs. Counted since its start, and of the last day at the most. */
export const bridgeStatsSchema = z.strictObject({
  version: z.string(),
  started_at: z.iso.datetime(),
  uptime_seconds: countSchema,
  draining: z.boolean().describe('It stops, and takes no new jobs.'),
  jobs: z.strictObject({
    now: z.strictObject({ queued: countSchema, running: countSchema, canceling: countSchema }),
    queue: z.strictObject({
      length: countSchema,
      limit: countSchema,
      oldest_seconds: z.number().nullable().describe('How long the first submitted of them has existed.'),
      by_workflow: z
        .array(z.strictObject({ workflow: z.string(), jobs: countSchema }))
        .describe(
          '`graph` stands for the graphs of callers, `other` for what has no place among 100 workflows.',
        ),
    }),
    last_hour: endedSchema,
    last_day: endedSchema,
  }),
  throughput: z.strictObject({
    per_minute: z
      .array(countSchema)
      .describe(
        'Jobs that succeeded in each of the last 60 minutes, oldest first; the last one is not over.',
      ),
  }),
  workflows: z.array(z.strictObject({ workflow: z.string(), wait_ms: samplesSchema, run_ms: samplesSchema })),
  backends: z.strictObject({
    all: countSchema,
    connecting: countSchema,
    ready: countSchema,
    lost: countSchema,
    draining: countSchema,
    paused: countSchema,
    leaving: countSchema,
  }),
  websockets: countSchema,
  event_streams: countSchema,
  storage: z.strictObject({ used_bytes: z.number(), quota_bytes: z.number() }),
  webhooks_owed: z.strictObject({ due: countSchema, registered: countSchema }),
});
export type BridgeStats = z.infer<typeof bridgeStatsSchema>;
