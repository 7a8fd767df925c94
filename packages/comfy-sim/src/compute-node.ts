import { textFrame } from './binary-frames.ts';
import type { NodeResult, NodeWork } from './nodes/node-work.ts';
import type { NodeValue } from './nodes/node-value.ts';
import { operationOf } from './nodes/operations.ts';
import type { Pace } from './pace.ts';
import type { RunHost } from './run-host.ts';
import { PythonError } from './python-values.ts';
import type { ApiPrompt, ExtraData, NodeId } from './wire.ts';
import { isLink } from './wire.ts';

/** Thrown inside a node when its prompt is to stop. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

export interface NodeComputation {
  node: NodeId;
  prompt: ApiPrompt;
  extraData: ExtraData;
  host: RunHost;
  /** With delays and progress frames; without, as fast and as quiet as possible. */
  paced: boolean;
  pace: Pace;
  /** Throws when the prompt is to stop. */
  check: () => void;
  valuesOf: (node: NodeId) => NodeValue[] | undefined;
  progress: (value: number, max: number, preview?: Uint8Array) => void;
}

/** Runs what a node does and gives its outputs, and what it shows. */
export async function computeNode(computation: NodeComputation): Promise<NodeResult> {
  const { node, prompt, extraData, host, paced, pace, check, valuesOf } = computation;
  const { class_type: classType = '', inputs = {} } = prompt[node] ?? {};
  const link = ([origin, slot]: [NodeId, number]): NodeValue | undefined => valuesOf(origin)?.[slot];
  host.models.allocate(classType);
  const operation = operationOf(classType);
  if (!operation) return handOn(computation, inputs, link);
  let steps = 0;
  const work: NodeWork = {
    id: node,
    inputs,
    link,
    prompt,
    extraData,
    files: host.files,
    liar: host.options.liar,
    plain: host.options.runMs === 0,
    previews: wantsPreviews(host, extraData),
    step: async (value, max, { preview, ms } = {}) => {
      steps += 1;
      if (!paced || (pace.instant && value < max)) return check();
      await pace.step(ms ?? host.options.stepMs);
      check();
      computation.progress(value, max, preview && (await preview()));
    },
    text: (text) => host.hub.sendRaw(textFrame(node, text)),
    loadModel: (folder, name) => loadModel(computation, folder, name),
  };
  const result = await operation(work);
  if (paced && steps === 0) await pace.step(0);
  return result;
}

async function loadModel(
  { host, pace, paced }: NodeComputation,
  folder: string,
  name: string,
): Promise<void> {
  if (!host.options.models[folder]?.includes(name)) {
    const message = `Model in folder '${folder}' with filename '${name}' not found.`;
    throw new PythonError('FileNotFoundError', message);
  }
  const cold = host.models.use(`${folder}/${name}`);
  if (cold && paced && !pace.instant) await pace.sleep(host.options.modelLoadMs);
}

function wantsPreviews(host: RunHost, extraData: ExtraData): boolean {
  const { preview_method: method } = extraData;
  return typeof method === 'string' && method !== 'default' ? method !== 'none' : host.options.previews;
}

/** A class known by definition only hands its first linked input on, so that a graph with it still runs. */
function handOn(
  { host, prompt, node }: NodeComputation,
  inputs: Record<string, unknown>,
  link: (value: [NodeId, number]) => NodeValue | undefined,
): NodeResult {
  const definition = host.info[prompt[node]?.class_type ?? ''];
  const first = Object.values(inputs)
    .filter(isLink)
    .map(link)
    .find((value) => value !== undefined);
  const value: NodeValue = first ?? { type: 'SCALAR', value: '' };
  return { values: (definition?.output ?? []).map(() => value) };
}
