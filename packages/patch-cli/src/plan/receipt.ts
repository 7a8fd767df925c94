import { z } from 'zod';

import { isOwnSpot, placeNames } from './spot.ts';

/** The shape of receipts and journals of this version; a higher number is refused, not guessed at. */
export const schemaVersion = 1;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const mode = z.int().min(0).max(0o7777);

export const spotSchema = z
  .object({ place: z.enum(placeNames), path: z.string().max(500) })
  .refine(isOwnSpot);

/** A file that was there before: its content lies in `originals/<sha256>`. */
const kept = z.object({ sha256: hash, mode });

const receiptFile = z.object({
  spot: spotSchema,
  sha256: hash,
  /** `settings` may be edited by its owner at any time; the others count as edited then. */
  kind: z.enum(['pack', 'launcher', 'example', 'settings']),
  original: kept.optional(),
});
export type ReceiptFile = z.infer<typeof receiptFile>;

/** Where custom_nodes and input are: relative to ComfyUI's folder when inside it, so that it can be moved; else absolute. */
export const recordedPlacesSchema = z.object({ 'custom-nodes': z.string(), input: z.string() });
export type RecordedPlaces = z.infer<typeof recordedPlacesSchema>;

/** What an installation did, written before it is done, and all that taking it back needs. */
export const receiptSchema = z.object({
  schema: z.literal(schemaVersion),
  /** Of the pack. */
  version: z.string().max(50),
  installedAt: z.string().max(50),
  comfyui: z.object({ version: z.string().max(100).optional(), commit: z.string().max(100).optional() }),
  places: recordedPlacesSchema,
  files: z.array(receiptFile).max(1_000),
  /** Folders that were not there, outermost first. */
  folders: z.array(spotSchema).max(1_000),
  /** Files of earlier versions, below custom_nodes: what Python compiled from them is still ours. */
  pastFiles: z.array(z.string().max(500)).max(10_000),
  /** Names that were in the state folder before us, and stay. */
  stateHad: z.array(z.string()).max(10_000),
});
export type Receipt = z.infer<typeof receiptSchema>;

export type Reading<T> =
  | { kind: 'none' }
  | { kind: 'damaged' }
  | { kind: 'newer'; schema: number }
  | { kind: 'ok'; value: T };

/** Reads what a file of ours says; never throws. */
export function readRecord<T>(text: string | undefined, schema: z.ZodType<T>): Reading<T> {
  if (text === undefined) return { kind: 'none' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'damaged' };
  }
  const version = z.object({ schema: z.int() }).safeParse(json);
  if (version.success && version.data.schema > schemaVersion)
    return { kind: 'newer', schema: version.data.schema };
  const parsed = schema.safeParse(json);
  return parsed.success ? { kind: 'ok', value: parsed.data } : { kind: 'damaged' };
}
