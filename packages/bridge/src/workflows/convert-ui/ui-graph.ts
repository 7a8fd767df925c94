/**
 * A workflow as the editor saves it, brought into one form: links in both spellings (lists of six, objects), ids as text.
 * Nothing in it is trusted to fit together.
 */
export interface UiWorkflow {
  root: UiScope;
  /** Under their ids. */
  subgraphs: ReadonlyMap<string, UiScope>;
}

/** One graph: the workflow's own, or the inside of a subgraph. */
export interface UiScope {
  name: string;
  nodes: ReadonlyMap<string, UiNode>;
  links: ReadonlyMap<string, UiLink>;
  /** Of a subgraph: its slots on the outside, in order. */
  inputs: readonly UiBoundary[];
  outputs: readonly UiBoundary[];
}

export interface UiNode {
  id: string;
  type: string;
  title: string;
  /** 2: muted. 4: bypassed. Anything else: active. */
  mode: number;
  inputs: readonly UiInput[];
  /** Types of its outputs. */
  outputs: readonly string[];
  /** By position, by name (some node packs), or none saved. */
  values: readonly unknown[] | Readonly<Record<string, unknown>> | undefined;
  /** Newer editors say the names beside. */
  namedValues: Readonly<Record<string, unknown>> | undefined;
  properties: Readonly<Record<string, unknown>>;
}

export interface UiInput {
  name: string;
  type: string;
  link: string | undefined;
  /** The name of the widget whose value the link replaces. */
  widget: string | undefined;
}

export interface UiLink {
  originId: string;
  originSlot: number;
  targetId: string;
}

export interface UiBoundary {
  name: string;
  type: string;
  /** Inside the subgraph. */
  links: readonly string[];
}

/** What stands for the boundary of a subgraph where a link names a node. */
export const boundaryIds = { input: '-10', output: '-20' };

export const modes = { muted: 2, bypassed: 4 };

/** A node as a reason names it. */
export function nameNode(id: string, node: { title: string; type: string }): string {
  const title = node.title === '' || node.title === node.type ? '' : ` "${short(node.title)}"`;
  return `node ${short(id)}${title} (${short(node.type)})`;
}

/** On one line, and not long. */
export function short(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return shown.toWellFormed().replace(/\p{Cc}+/gu, ' ');
}
