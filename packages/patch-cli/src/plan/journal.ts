import { z } from 'zod';

import { recordedPlacesSchema, schemaVersion, spotSchema } from './receipt.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const mode = z.int().min(0).max(0o7777);

const before = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  /** Its content lies in `originals/<sha256>` before anything else is done. */
  z.object({ kind: z.literal('file'), sha256: hash, mode }),
]);
export type Before = z.infer<typeof before>;

const step = z.discriminatedUnion('do', [
  z.object({ do: z.literal('make-folder'), spot: spotSchema }),
  z.object({ do: z.literal('write'), spot: spotSchema, sha256: hash, mode: mode.optional(), before }),
  /** Renamed out of sight; removed when all is done, renamed back when not. A whole folder goes at once. */
  z.object({ do: z.literal('set-aside'), spot: spotSchema }),
]);

/** One change outside the state folder. Each can be undone, and can be told to be done or not by looking. */
export type Step = z.infer<typeof step>;

/**
 * What is going to be done, written before it is done. The file's name says how far it came:
 *
 * ```
 * journal.json ──(all steps done: renamed)──► journal-done.json ──(tidied up: removed)──► nothing
 *      └──(a step failed, or the next run finds it: undone, removed)──► nothing
 * ```
 */
export const journalSchema = z.object({
  schema: z.literal(schemaVersion),
  command: z.enum(['install', 'upgrade', 'uninstall']),
  startedAt: z.string().max(50),
  /** 12 hexadecimal digits, in the name of every temporary file. */
  run: z.string().regex(/^[0-9a-f]{12}$/),
  places: recordedPlacesSchema,
  steps: z.array(step).max(5_000),
  /** Removed at the end if empty, innermost first. */
  dropFolders: z.array(spotSchema).max(1_000),
  /** `keep`: the receipt beside this journal counts from now on. `remove`: nothing of ours stays in the state folder. */
  state: z.discriminatedUnion('end', [
    z.object({ end: z.literal('keep') }),
    z.object({ end: z.literal('remove'), had: z.array(z.string()).max(10_000), force: z.boolean() }),
  ]),
});
export type Journal = z.infer<typeof journalSchema>;
