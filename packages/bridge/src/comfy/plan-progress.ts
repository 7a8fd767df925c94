import { type ApiNode, type ApiPrompt, isLink } from '@comfy-bridge/protocol';

/** Steps beyond this weigh no more. */
const MAX_STEPS = 100;

/**
 * What of a prompt will run, and how much each node is worth: `1 + min(steps, 100) / 2`, so that of a text-to-image graph
 * with 20 steps about two thirds are the sampler's. The steps are a node's own literal `steps`; a scheduler that only
 * computes sigmas hands them on to the sampler that takes those.
 *
 * Only what the output nodes need runs. Without `outputNodes`, nodes whose output nobody takes stand for them.
 */
export function planProgress(prompt: ApiPrompt, outputNodes: readonly string[] = []): Map<string, number> {
  const known = outputNodes.filter((id) => nodeAt(prompt, id) !== undefined);
  const waiting = known.length > 0 ? known : findSinks(prompt);
  const weights = new Map<string, number>();
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const node = nodeAt(prompt, id);
    if (node === undefined || weights.has(id)) continue;
    weights.set(id, 0);
    waiting.push(...sourcesOf(node));
  }
  const sigmaSources = findSigmaSources(prompt);
  for (const id of weights.keys()) weights.set(id, weighNode(prompt, id, sigmaSources));
  return weights;
}

/** The weight of a single node. */
export function weighNode(prompt: ApiPrompt, id: string, sigmaSources = findSigmaSources(prompt)): number {
  return 1 + Math.min(stepsOf(prompt, id, sigmaSources), MAX_STEPS) / 2;
}

function stepsOf(prompt: ApiPrompt, id: string, sigmaSources: ReadonlySet<string>): number {
  if (sigmaSources.has(id)) return 0;
  // Sigmas pass through nodes that split or scale them; the bound ends a loop.
  let node = nodeAt(prompt, id);
  for (let hops = 0; node !== undefined && hops < 10; hops += 1) {
    const { steps, sigmas } = node.inputs;
    if (typeof steps === 'number' && steps > 0) return steps;
    node = isLink(sigmas) ? nodeAt(prompt, sigmas[0]) : undefined;
  }
  return 0;
}

function findSigmaSources(prompt: ApiPrompt): Set<string> {
  const links = Object.values(prompt).map((node) => node.inputs['sigmas']);
  return new Set(links.filter(isLink).map(([source]) => source));
}

function findSinks(prompt: ApiPrompt): string[] {
  const taken = new Set(Object.values(prompt).flatMap(sourcesOf));
  return Object.keys(prompt).filter((id) => !taken.has(id));
}

function sourcesOf(node: ApiNode): string[] {
  return Object.values(node.inputs)
    .filter(isLink)
    .map(([source]) => source);
}

function nodeAt(prompt: ApiPrompt, id: string): ApiNode | undefined {
  return Object.hasOwn(prompt, id) ? prompt[id] : undefined;
}
