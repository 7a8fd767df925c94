import { isLink } from '@comfy-bridge/protocol';
import type { ApiPrompt } from '@comfy-bridge/protocol';

/** Nodes that take from each other in a circle, in the order of the links; empty when there is none. */
export function findCycle(prompt: ApiPrompt, nodes: Iterable<string>): string[] {
  const done = new Set<string>();
  for (const start of nodes) {
    if (done.has(start)) continue;
    // Without recursion: a chain may have thousands of nodes.
    const path: { nodeId: string; sources: Iterator<string> }[] = [];
    const onPath = new Set<string>();
    const enter = (nodeId: string) => {
      path.push({ nodeId, sources: sourcesOf(prompt, nodeId) });
      onPath.add(nodeId);
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.sources.next();
      if (next.done === true) {
        path.pop();
        onPath.delete(top.nodeId);
        done.add(top.nodeId);
      } else if (onPath.has(next.value)) {
        const from = path.findIndex(({ nodeId }) => nodeId === next.value);
        return path.slice(from).map(({ nodeId }) => nodeId);
      } else if (!done.has(next.value)) enter(next.value);
    }
  }
  return [];
}

function* sourcesOf(prompt: ApiPrompt, nodeId: string): Generator<string> {
  if (!Object.hasOwn(prompt, nodeId)) return;
  for (const value of Object.values(prompt[nodeId]?.inputs ?? {}))
    if (isLink(value) && Object.hasOwn(prompt, value[0])) yield value[0];
}
