import { collectMarks } from './collect-marks.ts';
import type { GraphLike, NodeLike, SlotLike, WidgetLike } from './graph-types.ts';

/** On the real classes of the editor: the library that it was made of, and its own, as far as that was published. */

export interface LiveNode extends NodeLike {
  id: number;
  mode: number;
  inputs: SlotLike[];
  widgets: WidgetLike[];
  clone(): LiveNode;
  connect(slot: number, node: LiveNode, input: number): unknown;
}

export interface LiveGraph extends GraphLike {
  add(node: LiveNode): void;
  getNodeById(id: number): LiveNode;
  serialize(): Record<string, unknown>;
  configure(data: unknown): unknown;
  convertToSubgraph(items: Set<LiveNode>): { node: LiveNode & { subgraph: LiveGraph } };
  createSubgraph(data: unknown): GraphLike;
  events: { addEventListener(name: string, listen: (event: { detail: SubgraphCreated }) => void): void };
}

interface SubgraphCreated {
  subgraph: LiveGraph;
  data: { id: string };
}

interface LinkedInput {
  origin_id: string | number;
  origin_slot: number;
  widgetInfo?: { value: unknown };
}

export interface Executable {
  id: string;
  node: LiveNode;
  inputs: { name: string; linkId: number | null }[];
  getInnerNodes(): Executable[];
  resolveInput(slot: number): LinkedInput | undefined;
}

type New<Made, Parameters extends unknown[] = []> = new (...given: Parameters) => Made;
type BuiltNode = LiveNode & {
  addInput(name: string, type: string): unknown;
  addOutput(name: string, type: string): unknown;
  addWidget(type: string, name: string, value: unknown, callback: () => void, options?: object): unknown;
};

export interface Library {
  LGraph: New<LiveGraph>;
  LGraphNode: New<BuiltNode, [string]>;
  SubgraphNode: New<LiveNode, [graph: unknown, subgraph: unknown, data: object]>;
  ExecutableNodeDTO: New<Executable, [LiveNode, unknown[], Map<string, unknown>, undefined]>;
  LiteGraph: {
    createNode(type: string): LiveNode;
    registerNodeType(type: string, made: unknown): void;
  };
}

/** A package that is not installed is no reason to fail: its tests are left out. */
async function load(name: string): Promise<Library | undefined> {
  try {
    const found = (await import(name)) as Library & { default?: Library };
    return found.LGraph === undefined ? found.default : found;
  } catch {
    return undefined;
  }
}

/** Two widgets, each an input as well where the library can link widgets; `Save` has none. */
export function register({ LGraphNode, LiteGraph }: Library): void {
  class Text extends LGraphNode {
    constructor() {
      super('Text');
      this.addWidget('text', 'text', 'a house', () => {});
      this.addWidget('number', 'seed', 5, () => {}, { min: 0, max: 9, step: 10, precision: 0 });
      for (const [slot, name] of ['text', 'seed'].entries()) {
        this.addInput(name, name === 'text' ? 'STRING' : 'INT');
        this.inputs[slot]!.widget = { name };
      }
      this.addOutput('out', 'STRING');
      this.comfyClass = 'Text';
      Object.assign(this, { serialize_widgets: true });
    }
  }
  class Save extends LGraphNode {
    constructor() {
      super('Save');
      this.addInput('images', 'STRING');
      this.comfyClass = 'Save';
    }
  }
  LiteGraph.registerNodeType('Text', Text);
  LiteGraph.registerNodeType('Save', Save);
}

export function create(library: Library, graph: LiveGraph, type: string): LiveNode {
  const node = library.LiteGraph.createNode(type);
  graph.add(node);
  return node;
}

export const keysOf = (graph: GraphLike) =>
  collectMarks(graph).flatMap(({ targets }) =>
    targets.map(({ nodeId, inputName }) => `${nodeId}/${inputName}`),
  );

export const libraries = await Promise.all(
  ['@comfyorg/litegraph', 'litegraph.js'].map(async (name) => [name, await load(name)] as const),
);
