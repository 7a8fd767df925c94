import type { InputMark } from '@comfy-bridge/protocol';

import type { NodeLike, WidgetLike } from './graph-types.ts';

/** Why a mark does not do what its author expects; `fans-out` and `odd-name` still work, less well. */
export type MarkProblem =
  /** Another node gives the value. */
  | 'linked'
  /** The node, or a subgraph around it, is muted. */
  | 'muted'
  | 'bypassed'
  /** The node has no such widget (any more). */
  | 'no-such-widget'
  /** The node is of a class that is not installed here. */
  | 'unknown-node'
  | 'duplicate-label'
  /** The name has a `/`: no caller can name it. Or a `,`: the original bridge cannot read it. */
  | 'odd-name'
  /** The editor does not write this widget into the API format, or not as a plain value. */
  | 'not-exported'
  /** A promoted widget that sets several inner inputs: callers see one, and the original bridge one for each. */
  | 'fans-out'
  /** An earlier mark means the same inner input. */
  | 'same-input';

/** Where a mark's value lies in the API format. */
export interface MarkTarget {
  /** The ids on the way to the node, joined with `:` (`12:3`). */
  nodeId: string;
  inputName: string;
  /** The inner node, for its title, class and widget. */
  node: NodeLike;
  widget: WidgetLike | undefined;
}

/** A mark of the workflow where it stands. A node inside a subgraph that is used twice gives two entries. */
export interface MarkEntry {
  /** Holds the mark in its properties. */
  node: NodeLike;
  /** Its execution id. */
  path: string;
  /** Undefined when the node has none of that name. */
  widget: WidgetLike | undefined;
  /** A copy: change it with `updateMark`. */
  mark: InputMark;
  /** One for most; several for a promoted widget that sets several; none when it leads nowhere. */
  targets: readonly MarkTarget[];
  problems: readonly MarkProblem[];
}

/** A node whose results callers get. */
export interface OutputEntry {
  node: NodeLike;
  path: string;
  problems: readonly MarkProblem[];
}
