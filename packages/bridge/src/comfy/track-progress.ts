import type { ApiPrompt, Progress } from '@comfy-bridge/protocol';
import type { ComfyMessage, NodeProgress } from './comfy-messages.ts';
import { planProgress, weighNode } from './plan-progress.ts';

/** What is shown before the prompt has succeeded stays below this. */
const ALMOST = 0.9999;
/** Copies of nodes that loops make at run time, remembered to know whose progress a plain `progress` is. */
const MAX_EXPANDED = 10_000;

/**
 * Turns the messages of one attempt of one prompt into a percentage. Give it that prompt's messages only; it ignores what it
 * does not know. The value never falls, and is 1 only after `execution-success`.
 */
export interface ProgressTracker {
  /** True when the snapshot changed. */
  apply(message: ComfyMessage): boolean;
  snapshot(): Progress;
  /** Whether ComfyUI had the heaviest of the planned nodes in its cache, all of them if several are as heavy. */
  wasCached(): boolean;
}

interface TrackedNode {
  weight: number;
  /** 0 to 1; 1 is done. Only rises. */
  fraction: number;
}

interface Track {
  readonly prompt: ApiPrompt;
  /** What is planned to run. */
  readonly nodes: Map<string, TrackedNode>;
  /** Expanded node id → submitted node id. */
  readonly expanded: Map<string, string>;
  readonly steps: Map<string, { step: number; steps: number }>;
  current: string | null;
  succeeded: boolean;
  readonly cached: Set<string>;
  /** Since 0.3.44 the server says which nodes are finished; before, a node is finished when the next one starts. */
  toldStates: boolean;
}

/** `outputNodes`: the output nodes that will run, where known; otherwise they are guessed from the links. */
export function createProgressTracker(
  prompt: ApiPrompt,
  outputNodes: readonly string[] = [],
): ProgressTracker {
  const track: Track = {
    prompt,
    nodes: new Map(),
    expanded: new Map(),
    steps: new Map(),
    current: null,
    succeeded: false,
    cached: new Set(),
    toldStates: false,
  };
  for (const [id, weight] of planProgress(prompt, outputNodes)) track.nodes.set(id, { weight, fraction: 0 });
  let last = measure(track, 0);
  return {
    apply(message) {
      if (track.succeeded) return false;
      take(track, message);
      const next = measure(track, last.value);
      const changed = !isSame(last, next);
      last = next;
      return changed;
    },
    snapshot: () => last,
    wasCached() {
      let heaviest = 0;
      for (const { weight } of track.nodes.values()) heaviest = Math.max(heaviest, weight);
      return [...track.nodes].every(([id, { weight }]) => weight < heaviest || track.cached.has(id));
    },
  };
}

function take(track: Track, message: ComfyMessage): void {
  switch (message.type) {
    case 'execution-cached':
      for (const id of message.nodes) {
        if (!track.nodes.has(id)) continue;
        raise(track, id, 1);
        track.cached.add(id);
      }
      break;
    case 'executing':
      takeExecuting(track, message.node, message.displayNode);
      break;
    case 'progress':
      takeProgress(track, message.node, message.value, message.max);
      break;
    case 'progress-state':
      takeStates(track, message.nodes);
      break;
    case 'executed':
      if (track.nodes.has(message.node)) raise(track, message.node, 1);
      break;
    case 'execution-success':
      track.succeeded = true;
      track.current = null;
      break;
    case 'execution-interrupted':
      track.current = null;
      break;
    case 'execution-error':
      if (message.terminal) track.current = null;
      break;
    default: // Says nothing about progress.
  }
}

function takeExecuting(track: Track, node: string | null, displayNode: string | null): void {
  if (node === null) {
    track.current = null;
    return;
  }
  const id = resolve(track, node, displayNode ?? node);
  if (id === undefined) return;
  if (track.current !== null && track.current !== id && !track.toldStates) raise(track, track.current, 1);
  raise(track, id, 0);
  track.current = id;
}

function takeProgress(track: Track, node: string | null, value: number, max: number): void {
  const id = node === null ? undefined : resolve(track, node);
  if (id === undefined) return;
  noteStep(track, id, value, max);
  // One pass of a copy says little of the whole loop.
  if (id === node) raise(track, id, Math.min(ratio(value, max), ALMOST));
}

function takeStates(track: Track, states: readonly NodeProgress[]): void {
  track.toldStates = true;
  /** Submitted node → progress of the copies made for it. */
  const copies = new Map<string, { sum: number; count: number }>();
  for (const state of states) {
    const id = resolve(track, state.nodeId, state.displayNodeId, state.realNodeId);
    if (id === undefined) continue;
    if (state.state === 'running') noteStep(track, id, state.value, state.max);
    const done = state.state === 'finished' ? 1 : Math.min(ratio(state.value, state.max), ALMOST);
    if (id === state.nodeId) {
      raise(track, id, done);
    } else {
      const before = copies.get(id) ?? { sum: 0, count: 0 };
      copies.set(id, { sum: before.sum + done, count: before.count + 1 });
    }
  }
  // More copies may follow, so the node itself counts as one that is not done.
  for (const [id, { sum, count }] of copies) raise(track, id, sum / (count + 1));
}

function noteStep(track: Track, id: string, value: number, max: number): void {
  if (max > 1) track.steps.set(id, { step: Math.round(value), steps: Math.round(max) });
}

/** The submitted node behind a node id: itself, what is displayed for it, or what it was expanded from. */
function resolve({ prompt, expanded }: Track, id: string, ...candidates: string[]): string | undefined {
  if (Object.hasOwn(prompt, id)) return id;
  const found = candidates.find((candidate) => Object.hasOwn(prompt, candidate)) ?? expanded.get(id);
  if (found !== undefined && expanded.size < MAX_EXPANDED) expanded.set(id, found);
  return found;
}

/** A node of the prompt that runs although nobody expected it joins the plan. */
function raise({ prompt, nodes }: Track, id: string, fraction: number): void {
  const node = nodes.get(id);
  if (node !== undefined) node.fraction = Math.max(node.fraction, fraction);
  else if (Object.hasOwn(prompt, id)) nodes.set(id, { weight: weighNode(prompt, id), fraction });
}

function measure({ prompt, nodes, steps, current, succeeded }: Track, floor: number): Progress {
  let total = 0;
  let done = 0;
  let finished = 0;
  for (const { weight, fraction } of nodes.values()) {
    total += weight;
    done += weight * fraction;
    if (fraction === 1) finished += 1;
  }
  const step = current === null ? undefined : steps.get(current);
  return {
    value: succeeded ? 1 : Math.max(floor, total === 0 ? 0 : Math.min(done / total, ALMOST)),
    nodes_done: succeeded ? nodes.size : finished,
    nodes_total: nodes.size,
    current_node: current,
    current_node_class: current === null ? null : (prompt[current]?.class_type ?? null),
    step: step?.step ?? null,
    steps: step?.steps ?? null,
  };
}

function ratio(value: number, max: number): number {
  return max > 0 ? Math.min(Math.max(value / max, 0), 1) : 0;
}

function isSame(a: Progress, b: Progress): boolean {
  return (
    a.value === b.value &&
    a.nodes_done === b.nodes_done &&
    a.nodes_total === b.nodes_total &&
    a.current_node === b.current_node &&
    a.step === b.step &&
    a.steps === b.steps
  );
}
