import { basename, extname } from 'node:path';
import type { Readable } from 'node:stream';

import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { ComfyClient } from '../../comfy/comfy-client.ts';
import type { StagedInput } from '../../jobs/job.ts';

/** A file to send to a backend. */
export interface StagedFile {
  contentType: string;
  /** bytes */
  size: number;
  open(): Promise<Readable>;
}

export interface StageDeps {
  client: Pick<ComfyClient, 'uploadInput'>;
  openSource(source: StagedInput['source']): Promise<StagedFile>;
  /** Told of each value that is written into the graph, before its file is sent and, if it is another one then, after. */
  claimInput(value: string): Promise<void>;
}

/** Every file of ours lies in one folder of the backend's inputs, apart from its owner's. */
const subfolder = 'bridge';

/**
 * Puts the files that a prompt names onto the chosen backend, and returns the prompt with the names under which they lie
 * there: ComfyUI renames on collision, so only the returned name counts.
 */
export async function stageInputs(
  { client, openSource, claimInput }: StageDeps,
  { prompt, stagedInputs, promptId }: StagedJob & { prompt: ApiPrompt },
  signal: AbortSignal,
): Promise<ApiPrompt> {
  if (stagedInputs.length === 0) return prompt;
  const staged = structuredClone(prompt);
  const wanted = nameInputs({ stagedInputs, promptId });
  const names = new Map<string, string>();
  for (const { nodeId, inputName, source } of stagedInputs) {
    const key = keyOf(source);
    const fileName = wanted.get(key) ?? '';
    let name = names.get(key);
    if (name === undefined) {
      await claimInput(toValue(fileName));
      const file = await openSource(source);
      const body = await file.open();
      const { contentType, size } = file;
      name = await client.uploadInput({ fileName, contentType, size, body, subfolder, signal });
      if (name !== toValue(fileName)) await claimInput(name);
      names.set(key, name);
    }
    const node = staged[nodeId];
    if (node !== undefined) node.inputs[inputName] = name;
  }
  return staged;
}

interface StagedJob {
  stagedInputs: readonly StagedInput[];
  /** Of the run that the files are for. */
  promptId: string;
}

/**
 * The values that `stageInputs` writes into the graph, unless the backend gave other names: known to a later process of the
 * bridge, too.
 */
export function stagedValues(job: StagedJob): string[] {
  return [...nameInputs(job).values()].map(toValue);
}

/** By source. Uploads go by the prompt's random id, never by a name that a caller gave; samples are everybody's. */
function nameInputs({ stagedInputs, promptId }: StagedJob): Map<string, string> {
  const names = new Map<string, string>();
  for (const { source } of stagedInputs) {
    if (names.has(keyOf(source))) continue;
    const name =
      source.kind === 'sample'
        ? basename(source.fileName)
        : `${promptId}-${names.size + 1}${extname(source.savedName)}`;
    names.set(keyOf(source), name);
  }
  return names;
}

function keyOf(source: StagedInput['source']): string {
  return JSON.stringify(source);
}

function toValue(fileName: string): string {
  return `${subfolder}/${fileName}`;
}
