import { computeNode } from './compute-node.ts';
import { ExecutionOrder } from './execution-order.ts';
import { metaOf, type Frames } from './frames.ts';
import type { NodeValue } from './nodes/node-value.ts';
import type { Pace } from './pace.ts';
import { PythonError } from './python-values.ts';
import type { RunHost } from './run-host.ts';
import type { ApiPrompt, ExtraData, NodeId, UiOutput } from './wire.ts';

/** A prompt on its way, as far as running its graph needs to know it. */
export interface RunningGraph {
  host: RunHost;
  prompt: ApiPrompt;
  extraData: ExtraData;
  outputs: NodeId[];
  frames: Frames;
  pace: Pace;
  /** With delays and progress frames; without, as fast and as quiet as possible. */
  paced: boolean;
  /** Nodes that a test already stepped through. */
  stepped: ReadonlySet<NodeId>;
  hasShown: (node: NodeId) => boolean;
  /** Makes a node the current one, unless it is. */
  start: (node: NodeId) => void;
  show: (node: NodeId, output: UiOutput) => void;
  finishCurrent: () => void;
  /** Throws when the prompt is to stop. */
  check: () => void;
}

/** Runs what is left of a graph, in the order and with the frames of a real server. Throws what a node throws. */
export async function runGraph(run: RunningGraph): Promise<void> {
  const { host, prompt, pace, paced } = run;
  const isCached = (node: NodeId): boolean => host.cache.get(node) !== undefined;
  const order = new ExecutionOrder(prompt, host.info, isCached, run.outputs);
  const values = new Map<NodeId, NodeValue[]>();
  const toRun = order.remaining.filter((node) => !isCached(node));
  pace.plan(paced ? host.options.runMs : 0, toRun, prompt);
  for (let node = order.next(); node !== undefined; node = order.next()) {
    if (isCached(node)) tellCached(run, node);
    else if (!(run.stepped.has(node) && run.hasShown(node))) await runNode(run, node, values);
    order.complete(node);
  }
  const [stuck] = order.remaining;
  if (stuck !== undefined) {
    run.start(stuck);
    throw new PythonError('graph.DependencyCycleError', 'Dependency cycle detected');
  }
  if (paced) await pace.untilEnd();
  run.check();
  run.finishCurrent();
}

/** A cached output node is told again, without `executing`; what it shows may be nothing. */
function tellCached({ frames, host }: RunningGraph, node: NodeId): void {
  frames.executed(node, host.cache.get(node)?.ui?.output ?? null);
  frames.finish(node);
}

async function runNode(run: RunningGraph, node: NodeId, values: Map<NodeId, NodeValue[]>): Promise<void> {
  const { host, prompt, extraData, paced, pace, check, frames } = run;
  // A node that the test stepped through has told its story; only its values are still missing.
  const silent = run.stepped.has(node);
  if (!silent) run.start(node);
  check();
  const result = await computeNode({
    node,
    prompt,
    extraData,
    host,
    paced,
    pace,
    check,
    valuesOf: (id) => values.get(id) ?? host.cache.get(id)?.values,
    progress: (value, max, preview) => frames.progress(node, value, max, preview),
  });
  check();
  values.set(node, result.values);
  const ui = result.ui && { output: result.ui, meta: metaOf(node) };
  host.cache.set(node, ui ? { values: result.values, ui } : { values: result.values });
  if (silent) return;
  if (ui) run.show(node, ui.output);
  run.finishCurrent();
}
