import { assetReferenceSchema } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/protocol';

import { isRecord } from '../../lib/is-record.ts';

/** An input whose value stands for a file that the bridge holds. */
export interface AssetUse {
  nodeId: string;
  inputName: string;
  assetId: string;
}

export type FoundReferences = { ok: true; uses: AssetUse[] } | { ok: false; message: string };

const maxDepth = 64;

/**
 * Finds the `core/ASSET` objects of a graph: `{"__type": "core/ASSET", "info": {"id": "<uuid>"}}` as the value of an input.
 * Malformed ones, and ones anywhere else, are told rather than left in: a ComfyUI could do nothing with them.
 */
export function findAssetReferences(prompt: ApiPrompt): FoundReferences {
  const uses: AssetUse[] = [];
  for (const [nodeId, { inputs }] of Object.entries(prompt)) {
    for (const [inputName, value] of Object.entries(inputs)) {
      if (isReference(value)) {
        const parsed = assetReferenceSchema.safeParse(value);
        if (!parsed.success)
          return refuse(nodeId, inputName, 'is malformed: info.id must be the id of an asset');
        uses.push({ nodeId, inputName, assetId: parsed.data.info.id });
      } else if (holdsReference(value, 0)) {
        return refuse(
          nodeId,
          inputName,
          'lies within another value: it must be the value of the input itself',
        );
      }
    }
  }
  return { ok: true, uses };
}

/** The object that stands for an asset in a graph. */
export function toAssetReference(assetId: string) {
  return { __type: 'core/ASSET', info: { id: assetId } } as const;
}

function refuse(nodeId: string, inputName: string, what: string): FoundReferences {
  const at = `${nodeId.slice(0, 60)}/${inputName.slice(0, 60)}`;
  return { ok: false, message: `the asset reference of ${at} ${what}` };
}

function isReference(value: unknown): boolean {
  return isRecord(value) && value['__type'] === 'core/ASSET';
}

function holdsReference(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return false;
  return Object.values(value).some((item) => isReference(item) || holdsReference(item, depth + 1));
}
