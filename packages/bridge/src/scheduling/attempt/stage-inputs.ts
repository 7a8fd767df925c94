import type { Readable } from 'node:stream';

import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { ComfyClient } from '../../comfy/comfy-client.ts';
import type { StagedInput } from '../../jobs/job.ts';

/** A file to send to a backend. */
export interface StagedFile {
  /** The name that the backend sees: random, with the right extension. */
  fileName: string;
  contentType: string;
  /** bytes */
  size: number;
  open(): Promise<Readable>;
}

/** Every file of ours lies in one folder of the backend's inputs, apart from its owner's. */
const subfolder = 'bridge';

/**
 * Puts the files that a prompt names onto the chosen backend, and returns the prompt with the names under which they lie
 * there: ComfyUI renames on collision, so only the returned name counts.
 */
export async function stageInputs(
  {
    client,
    openSource,
  }: { client: ComfyClient; openSource: (source: StagedInput['source']) => Promise<StagedFile> },
  prompt: ApiPrompt,
  stagedInputs: readonly StagedInput[],
  signal: AbortSignal,
): Promise<ApiPrompt> {
  if (stagedInputs.length === 0) return prompt;
  const staged = structuredClone(prompt);
  const names = new Map<string, string>();
  for (const { nodeId, inputName, source } of stagedInputs) {
    const sourceKey = JSON.stringify(source);
    let name = names.get(sourceKey);
    if (name === undefined) {
      const file = await openSource(source);
      const body = await file.open();
      const { fileName, contentType, size } = file;
      name = await client.uploadInput({ fileName, contentType, size, body, subfolder, signal });
      names.set(sourceKey, name);
    }
    const node = staged[nodeId];
    if (node !== undefined) node.inputs[inputName] = name;
  }
  return staged;
}
