import type { WorkflowDetail } from '@comfy-bridge/protocol';

import { call } from '../../bridge/call.ts';
import { toFields } from './form/form-model.ts';
import type { Field } from './form/form-model.ts';

export interface ReadWorkflow {
  workflow: WorkflowDetail;
  fields: readonly Field[];
}

/** A workflow, with the pictures that explain its inputs. Throws `CallError`. */
export async function readWorkflow(alias: string, signal?: AbortSignal): Promise<ReadWorkflow> {
  const workflow = await call<WorkflowDetail>(`api/bridge/workflows/${encodeURIComponent(alias)}`, {
    signal,
  });
  return { workflow, fields: toFields(workflow, await readPictures(alias, signal)) };
}

interface Info {
  descimage?: string | readonly string[];
}

/** They explain; without them the form serves as well. */
async function readPictures(
  alias: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  try {
    const info = await call<Record<string, Info>>(
      `workflow-info?${new URLSearchParams({ workflow: alias })}`,
      {
        signal,
      },
    );
    return new Map(
      Object.entries(info).map(([key, { descimage = [] }]) => [
        key,
        (typeof descimage === 'string' ? [descimage] : descimage).map(toPictureUrl),
      ]),
    );
  } catch {
    return new Map();
  }
}

const beginnings = [
  ['iVBOR', 'png'],
  ['/9j/', 'jpeg'],
  ['R0lG', 'gif'],
  ['UklG', 'webp'],
] as const;

/** The bridge says not what it is; the first bytes do. */
function toPictureUrl(base64: string): string {
  const [, type] = beginnings.find(([start]) => base64.startsWith(start)) ?? beginnings[0];
  return `data:image/${type};base64,${base64}`;
}
