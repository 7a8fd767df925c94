/** What the tests use of the editor from inside its page, across all versions. The globals are known everywhere in the tests. */
export interface PageNode {
  id: number | string;
  title: string;
  type: string;
  mode: number;
  pos: [number, number];
  size: [number, number];
  properties: Record<string, unknown>;
  widgets?: { name: string; value: unknown }[];
  inputs: PageSlot[];
  graph: PageGraph;
  isSubgraphNode?(): boolean;
  subgraph?: PageGraph;
  connect(slot: number, target: PageNode, targetSlot: number): unknown;
}

interface PageSlot {
  name: string;
}

export interface PageGraph {
  id: string;
  nodes: PageNode[];
  extra: Record<string, unknown>;
  getNodeById(id: number | string): PageNode | null;
  add(node: PageNode): unknown;
  arrange(): void;
  serialize(): Record<string, unknown>;
  /** Of a subgraph. */
  addInput(name: string, type: string): { connect(slot: PageSlot, node: PageNode): unknown };
  convertToSubgraph(items: Set<PageNode>): { node: PageNode };
}

interface PageApp {
  rootGraph?: PageGraph;
  graph: PageGraph;
  canvas: {
    canvas: { getBoundingClientRect(): { left: number; top: number } };
    graph: PageGraph;
    ds: { scale: number; offset: [number, number] };
    selectedItems: Set<PageNode>;
    setGraph(graph: PageGraph): void;
    centerOnNode(node: PageNode): void;
    showShowNodePanel?(node: PageNode): void;
    draw(foreground: boolean, background: boolean): void;
  };
  extensionManager: {
    command: { execute(id: string): Promise<unknown>; commands: { id: string }[] };
    setting: { get(id: string): unknown; set(id: string, value: unknown): Promise<unknown> };
    workflow: { activeWorkflow: unknown };
  };
  loadApiJson(graph: unknown, name: string): unknown;
  loadGraphData(graph: unknown, clean: boolean, restoreView: boolean, name: string): Promise<unknown>;
  graphToPrompt(): Promise<{ output: Record<string, { _meta: Record<string, unknown> }> }>;
}

/** What is measured of an element; the types of browsers would be everywhere in the tests. */
export interface PageElement {
  tagName: string;
  className: string;
  scrollWidth: number;
  clientWidth: number;
  parentElement: PageElement | null;
}

interface PagePainter {
  fillStyle: string;
  fillRect(x: number, y: number, width: number, height: number): void;
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
}

declare global {
  var comfyAPI: { app: { app: PageApp } };
  var LiteGraph: { createNode(type: string): PageNode };
  var innerWidth: number;
  var document: {
    createElement(tag: 'canvas'): { getContext(kind: '2d', options: object): PagePainter | null };
  };
  function requestAnimationFrame(callback: () => void): number;
  function getComputedStyle(element: PageElement): {
    overflowX: string;
    display: string;
    backgroundColor: string;
    color: string;
  };
}
