import type { NodeInputSpec } from '../../comfy/object-info.ts';
import type { Budget } from './budget.ts';
import type { PlacedNode, Slot } from './place-nodes.ts';
import type { WidgetValues } from './widget-value.ts';

/** What an input is sent with: a link or a value; undefined: not at all. */
export type Sent = { ok: true; value?: unknown } | { ok: false; reason: string };

/** Where the inputs of a node are taken from. */
export interface NodeInputs {
  node: PlacedNode;
  widgets: WidgetValues;
  budget: Budget;
}

/** One of them. */
export interface Input extends NodeInputs {
  slot: Slot;
  /** Undefined where the definition does not have it. */
  spec: NodeInputSpec | undefined;
  /** As a reason begins. */
  title: string;
}
