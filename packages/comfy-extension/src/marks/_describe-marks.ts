import { collectMarks } from './collect-marks.ts';
import { toggleMark } from './edit-marks.ts';
import type { GraphLike, NodeLike } from './graph-types.ts';

export function markAll(...nodes: NodeLike[]): void {
  for (const node of nodes) for (const { name } of node.widgets ?? []) toggleMark(node, name, true);
}

export const describe = (graph: GraphLike) =>
  Object.fromEntries(
    collectMarks(graph).map(({ path, mark, targets, problems }) => [
      `${path}/${mark.name}`,
      [targets.map(({ nodeId, inputName }) => `${nodeId}/${inputName}`), problems],
    ]),
  );
