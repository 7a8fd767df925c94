import { z } from 'zod';

import { isToken } from '../lib/server-address.ts';
import { tagsSchema } from '../lib/tags.ts';
import type { BackendSettings } from './fleet.ts';

const maxWorkflows = 1_000;
const [minWeight, maxWeight] = [0.01, 100];

const mode = z.enum(['active', 'draining', 'paused']);
const weight = z.number().min(minWeight, `at least ${minWeight}`).max(maxWeight, `at most ${maxWeight}`);
const workflows = z
  .array(z.string().min(1, 'an alias is not empty').max(255, 'an alias has at most 255 characters'))
  .max(maxWorkflows, `at most ${maxWorkflows} workflows`)
  .transform((aliases) => [...new Set(aliases)])
  .nullable();
/** Its message never shows the value. */
const token = z.string().refine(isToken, 'a token is 1 to 512 printable ASCII characters without spaces');

/** `sha256:` and base64: no other key of a certificate is trusted. Its form is checked with the address. */
const pin = z.string().max(100, 'at most 100 characters');

/** Asked for over the API: a backend for the fleet. */
export const newBackendSchema = z.strictObject({
  url: z.string().max(2_048, 'at most 2,048 characters'),
  name: z.string().optional(),
  token: token.optional(),
  pin: pin.optional(),
  weight: weight.optional(),
  tags: tagsSchema.optional(),
  workflows: workflows.optional(),
  mode: mode.optional(),
});
export type NewBackend = z.infer<typeof newBackendSchema>;

/** What may change while it is in the fleet. A token or a pin of null: none. */
export const backendChangeSchema = z
  .strictObject({
    weight: weight.optional(),
    tags: tagsSchema.optional(),
    workflows: workflows.optional(),
    mode: mode.optional(),
    token: token.nullable().optional(),
    pin: pin.nullable().optional(),
  })
  .refine(
    (change) => Object.keys(change).length > 0,
    'name at least one of weight, tags, workflows, mode, token, pin',
  );
export type BackendChange = z.infer<typeof backendChangeSchema>;

/** Its results are not believed, since (ms since the epoch) and why. */
const quarantine = z.object({
  since: z.number(),
  reason: z.string(),
  evidence: z
    .array(
      z.object({
        at: z.number(),
        kind: z.enum(['canary', 'duplicate']),
        detail: z.string(),
        difference: z.number().nullable(),
      }),
    )
    .default([]),
});

/** What is kept of a backend over restarts. What a record does not have yet is as in a new backend. */
export const backendRecordSchema = z.object({
  /** Only of one that was added over the API. */
  url: z.string().optional(),
  /** Of a configured one only if it was changed; null: none, whatever the configuration says. */
  token: token.nullable().optional(),
  /** Only of one that was added over the API; with `sha256:`. */
  pin: z.string().optional(),
  mode: mode.default('active'),
  weight: weight.default(1),
  tags: tagsSchema.default([]),
  workflows: workflows.default(null),
  leaving: z.boolean().default(false),
  quarantine: quarantine.nullable().default(null),
});
export type BackendRecord = z.infer<typeof backendRecordSchema>;

/** The settings with those that are given anew. */
export function changeSettings(
  settings: BackendSettings,
  change: Omit<BackendChange, 'token' | 'pin'>,
): BackendSettings {
  return {
    mode: change.mode ?? settings.mode,
    weight: change.weight ?? settings.weight,
    tags: change.tags ?? settings.tags,
    workflows: change.workflows === undefined ? settings.workflows : change.workflows,
  };
}
