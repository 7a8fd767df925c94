/**
 * What is read of the editor's graph: plain shapes, not its classes, so that the same logic runs on its live objects of every
 * version, on `litegraph.js`, and on saved files made into the same shapes.
 */
export interface WidgetLike {
  name: string;
  /** `number`, `combo`, `text`, `customtext`, `toggle`, … */
  type?: string;
  value?: unknown;
  options?: { values?: unknown; min?: number; max?: number; step?: number; serialize?: boolean } & Record<
    string,
    unknown
  >;
  label?: string;
  /** Of a widget that a subgraph shows of a node inside it (newer editors). */
  sourceNodeId?: number | string;
  sourceWidgetName?: string;
}

export interface SlotLike {
  name: string;
  label?: string;
  type?: unknown;
  link?: number | null;
  widget?: { name: string };
}

export interface LinkLike {
  origin_id: number | string;
  origin_slot: number;
  target_id?: number | string;
  target_slot?: number;
}

export interface NodeLike {
  id: number | string;
  title?: string;
  /** The class. */
  type?: string | null;
  comfyClass?: string;
  /** 0 always, 2 muted, 4 bypassed. */
  mode?: number;
  properties?: Record<string, unknown>;
  widgets?: WidgetLike[];
  inputs?: SlotLike[];
  isVirtualNode?: boolean;
  /** The graph that it is in. */
  graph?: GraphLike | null;
  /** True for an instance of a subgraph. */
  isSubgraphNode?(): boolean;
  subgraph?: GraphLike;
  /** Where the value of a promoted input goes. */
  resolveSubgraphInputLinks?(slot: number): readonly unknown[];
  /** Newer editors warn on the console where `link` of a slot is read. */
  isInputConnected?(slot: number): boolean;
  /** Of an instance of a subgraph it means something else. */
  getInputLink?(slot: number): LinkLike | null | undefined;
}

export interface GraphLike {
  id?: string;
  nodes?: readonly NodeLike[];
  /** Old editors have no `nodes`. */
  _nodes?: readonly NodeLike[];
  extra?: Record<string, unknown>;
  /** By their ids; newer editors: a `Map`. */
  links?: unknown;
  /** Where the id of the newest link is. Older editors and `litegraph.js` have `last_link_id`. */
  state?: { lastLinkId?: number };
  last_link_id?: number;
  getNodeById?(id: number | string): NodeLike | null | undefined;
}
