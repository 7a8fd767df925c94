import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { FindDefinition } from '../inputs/input-spec.ts';
import { createBudget } from './budget.ts';
import { buildInputs } from './build-inputs.ts';
import { refusalOf } from './node-kind.ts';
import { nameOf, placeNodes } from './place-nodes.ts';
import type { PlacedGraph, PlacedNode } from './place-nodes.ts';
import { readUiWorkflow } from './read-ui-workflow.ts';
import { modes } from './ui-graph.ts';
import { createWidgetValues } from './widget-value.ts';

export type ConvertedWorkflow = { ok: true; prompt: ApiPrompt } | { ok: false; reasons: string[] };

const tooMuch: ConvertedWorkflow = {
  ok: false,
  reasons: ['its nodes are linked in more ways than can be followed: make it smaller'],
};

/** So many reasons tell enough. */
const mostReasons = 100;

/**
 * Makes of a workflow that the editor saved what the editor itself would send to a machine with these node classes, or says
 * why that cannot be told exactly: never a guess. Pure; `reasons` are for the workflow's author, at most 100.
 */
export function convertUiWorkflow(
  workflow: unknown,
  { findDefinition }: { findDefinition: FindDefinition },
): ConvertedWorkflow {
  const read = readUiWorkflow(workflow);
  if (!read.ok) return { ok: false, reasons: limit(read.reasons) };
  const placed = placeNodes(read.workflow, findDefinition);
  if (!placed.ok) return { ok: false, reasons: [placed.reason] };
  const budget = createBudget();
  const widgets = createWidgetValues(budget);
  const reasons: string[] = [];
  const prompt: [string, ApiPrompt[string]][] = [];
  for (const node of placed.nodes) {
    if (!isSent(node)) continue;
    if (budget.isSpent()) return tooMuch;
    const lack = lackOf(node);
    if (lack !== undefined) {
      reasons.push(`${nameOf(node)} ${lack}`);
      continue;
    }
    if (node.kind !== 'class') continue;
    const built = buildInputs({ node, widgets, budget });
    if (built.ok) prompt.push([node.id, toApiNode(node, built.inputs)]);
    else reasons.push(...built.reasons);
  }
  if (budget.isSpent()) return tooMuch;
  if (reasons.length === 0 && prompt.length === 0)
    reasons.push('it has no active node: nothing in it would run');
  return reasons.length > 0
    ? { ok: false, reasons: limit(reasons) }
    : { ok: true, prompt: Object.fromEntries(prompt) };
}

/** Neither muted nor bypassed, and not inside a subgraph that is; the editor asks that of the outermost one only. */
function isSent({ node, graph }: PlacedNode): boolean {
  return !isOff(node.mode) && !isOff(outermost(graph)?.node.mode ?? 0);
}

function outermost(graph: PlacedGraph): PlacedNode | undefined {
  let host = graph.host;
  while (host?.graph.host !== undefined) host = host.graph.host;
  return host;
}

function isOff(mode: number): boolean {
  return mode === modes.muted || mode === modes.bypassed;
}

function lackOf({ kind, definition }: PlacedNode): string | undefined {
  if (kind === 'class' && definition === undefined)
    return 'is of a class that no machine has: install its node pack there, or take it away';
  return refusalOf(kind);
}

function toApiNode({ node, definition }: PlacedNode, inputs: Record<string, unknown>): ApiPrompt[string] {
  const classType = definition?.classType ?? node.type;
  return {
    inputs,
    class_type: classType,
    _meta: { title: node.title || definition?.displayName || classType },
  };
}

function limit(reasons: readonly string[]): string[] {
  const distinct = [...new Set(reasons)];
  if (distinct.length <= mostReasons) return distinct;
  return [...distinct.slice(0, mostReasons - 1), `and ${distinct.length - mostReasons + 1} more`];
}
