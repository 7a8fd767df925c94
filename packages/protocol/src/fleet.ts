import { z } from 'zod';

/** What operators are told of the fleet. Times are ISO 8601 in UTC. */

const timeSchema = z.iso.datetime();
const countSchema = z.int().nonnegative();

const evidenceSchema = z.strictObject({
  at: timeSchema,
  kind: z
    .enum(['canary', 'duplicate'])
    .describe('`canary`: a result that the bridge knew. `duplicate`: one that another machine made too.'),
  detail: z.string().describe('For people.'),
  difference: z
    .number()
    .nullable()
    .describe('How far off, from 0 to 1; null where there was nothing to measure.'),
});

/** A backend; neither its address nor its token. */
export const backendSchema = z.strictObject({
  name: z.string(),
  status: z
    .enum(['connecting', 'ready', 'lost', 'draining', 'paused', 'leaving', 'quarantined'])
    .describe(
      'Going away comes first, then whether it answers, whether its results are believed (`quarantine`), then what its operator or its owner (`lending`) wants of it.',
    ),
  trust: z
    .enum(['closed', 'open', 'half-open'])
    .describe('`closed`: trusted. `open`: failed too often and is given a rest. `half-open`: on probation.'),
  since: timeSchema.nullable(),
  reason: z.string().nullable().describe('Why it is lost or quarantined, or that its owner has paused it.'),
  version: z.string().nullable().describe("ComfyUI's."),
  node_classes: countSchema.nullable().describe('How many it offers; null while unknown.'),
  offer_problem: z.string().nullable().describe('Why what it offers could not be read at the last try.'),
  queue_remaining: countSchema.describe("Prompts in its queue at the last look, everybody's."),
  foreign_prompts: countSchema.describe('Those that are not ours.'),
  memory: z.strictObject({
    total_bytes: z.number().nullable(),
    usable_bytes: z.number().nullable().describe('After unloading models of its own.'),
  }),
  free_memory_bytes: z.number().nullable().describe('What nobody used of it at the last look.'),
  gpu: z.string().nullable(),
  python_version: z.string().nullable(),
  pytorch_version: z.string().nullable(),
  loaded_models: z.array(z.string()),
  suspicions: z
    .array(
      z.strictObject({
        class_type: z.string(),
        input: z.string().nullable(),
        value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
        since: timeSchema,
      }),
    )
    .describe('What it listed and then did not have.'),
  mode: z.enum(['active', 'draining', 'paused']),
  weight: z.number(),
  tags: z.array(z.string()).readonly(),
  workflows: z.array(z.string()).readonly().nullable().describe('Only these; null: all.'),
  source: z.enum(['config', 'api']).describe('Who named it: the configuration, or an operator over the API.'),
  lending: z
    .strictObject({
      state: z.enum(['available', 'paused']),
      reason: z
        .enum(['command', 'owner-work', 'schedule'])
        .nullable()
        .describe('Why it is paused: its owner said so, works there, or lends it at other hours.'),
      until: timeSchema.nullable().describe('When the pause is to end; null while nobody knows.'),
    })
    .nullable()
    .describe('What its owner, who lends it, wants of it; null for a machine that is not lent.'),
  quarantine: z
    .strictObject({ since: timeSchema, reason: z.string(), evidence: z.array(evidenceSchema) })
    .nullable()
    .describe('Its results are not believed: it gets no jobs until an operator resumes it. Null: they are.'),
  doubts: z
    .array(evidenceSchema)
    .describe('What spoke against its results since the bridge started or believed it again; the last 20.'),
  canary: z
    .strictObject({
      at: timeSchema,
      outcome: z.enum(['right', 'wrong', 'unanswered']),
      detail: z.string().nullable().describe('Why it was wrong or unanswered.'),
      right_at: timeSchema.nullable().describe('When one was last right.'),
      unanswered: countSchema.describe('In a row.'),
    })
    .nullable()
    .describe('The last prompt whose result the bridge knew; null when there was none.'),
  jobs: z.array(
    z.strictObject({
      id: z.string(),
      workflow: z.string(),
      executing_since: timeSchema.nullable(),
      progress: z.number().min(0).max(1).nullable(),
      node: z.string().nullable().describe('The class of the node that it is at.'),
    }),
  ),
  success: z
    .strictObject({
      succeeded: countSchema,
      failed: countSchema,
      lost: countSchema,
      since: timeSchema,
    })
    .describe('How the runs of the last day ended there; canceled and moved ones are not counted.'),
  last_errors: z
    .array(z.strictObject({ at: timeSchema, reason: z.string(), job_id: z.string().nullable() }))
    .describe('The last ten, the newest first; without a job it was about the machine.'),
});
export type BackendDescription = z.infer<typeof backendSchema>;

/** With where it is reached. */
export const addressedBackendSchema = z.strictObject({
  ...backendSchema.shape,
  address: z.string().describe('`host:port`'),
});

/** `GET /api/bridge/backends/{name}/activity`. */
export const backendActivitySchema = z.strictObject({
  samples: z
    .array(
      z.strictObject({
        at: timeSchema,
        memory_used_bytes: z.number().nullable(),
        memory_total_bytes: z.number().nullable(),
        queue: countSchema.describe("Prompts in its queue, everybody's."),
        running: countSchema.describe('Jobs of this bridge that it works on.'),
      }),
    )
    .describe('Of the last hour at most, the oldest first.'),
  interval_seconds: z.number(),
});
export type BackendActivity = z.infer<typeof backendActivitySchema>;

/** `DELETE /api/bridge/backends/{name}`. */
export const leavingBackendSchema = z.strictObject({
  ...backendSchema.shape,
  returns_at_next_start: z
    .boolean()
    .describe('The configuration names it, so that the next start has it again.'),
});

/** What one backend would make of a job. Times in ms from now. */
export const backendVerdictSchema = z.strictObject({
  backend: z.string(),
  verdict: z
    .enum(['free', 'busy', 'away', 'unable'])
    .describe(
      '`free`: at once. `busy`: when it is done with what it has. `away`: it could, and takes nothing at the moment.',
    ),
  reasons: z.array(z.string()).describe('For people; empty when nothing speaks against it.'),
  lacks: z.array(
    z.strictObject({ class_type: z.string(), input: z.string().nullable(), value: z.unknown() }),
  ),
  expected: z
    .strictObject({
      starts_in_ms: z.number(),
      load_ms: z.number(),
      run_ms: z.number(),
      finishes_in_ms: z.number(),
      basis: z.enum(['measured', 'estimated', 'guessed']),
    })
    .nullable(),
});
export type BackendVerdict = z.infer<typeof backendVerdictSchema>;

/** `GET /api/bridge/workflows/{alias}/placement`. */
export const placementSchema = z.strictObject({
  workflow: z.string(),
  can_run: z.boolean(),
  choice: z
    .string()
    .nullable()
    .describe('Where it is expected to be done first; null when nothing is ready for it.'),
  needs: z.strictObject({ node_classes: z.array(z.string()), models: z.array(z.string()) }),
  peak_memory_bytes: z.number().nullable().describe('The most that a run of this size was seen to use.'),
  backends: z.array(backendVerdictSchema),
});
export type Placement = z.infer<typeof placementSchema>;

/** `…/workflows/{alias}/requirements`. */
export const requirementsSchema = z.strictObject({
  workflow: z.string(),
  tags: z.array(z.string()).readonly(),
  backends: z.array(z.string()).describe('The machines that have all of these tags.'),
});
export type Requirements = z.infer<typeof requirementsSchema>;
