import type { ApiPrompt } from '@comfy-bridge/protocol';
import { describe, expect, test } from 'vitest';

import { parseWorkflow } from '../../../bridge/src/workflows/catalog/parse-workflow.ts';
import { addMarks } from './add-marks.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { listInputs } from './form-fields.ts';
import type { GraphLike, NodeLike, SlotLike, WidgetLike } from './graph-types.ts';
import { importFromApiFile } from './import-api-file.ts';
import { listCandidates } from './list-candidates.ts';
import { readMarks } from './stored-marks.ts';

/** On the real classes of the editor: the library that it was made of, and its own, as far as that was published. */

interface LiveNode extends NodeLike {
  id: number;
  mode: number;
  inputs: SlotLike[];
  widgets: WidgetLike[];
  clone(): LiveNode;
  connect(slot: number, node: LiveNode, input: number): unknown;
}

interface LiveGraph extends GraphLike {
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

interface Executable {
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

interface Library {
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
function register({ LGraphNode, LiteGraph }: Library): void {
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

function create(library: Library, graph: LiveGraph, type: string): LiveNode {
  const node = library.LiteGraph.createNode(type);
  graph.add(node);
  return node;
}

const keysOf = (graph: GraphLike) =>
  collectMarks(graph).flatMap(({ targets }) =>
    targets.map(({ nodeId, inputName }) => `${nodeId}/${inputName}`),
  );

const libraries = await Promise.all(
  ['@comfyorg/litegraph', 'litegraph.js'].map(async (name) => [name, await load(name)] as const),
);

describe.each(libraries)('%s', (_, loaded) => {
  const withLibrary = loaded === undefined ? test.skip : test;
  const library = loaded!;
  if (loaded !== undefined) register(loaded);

  withLibrary('widgets of live nodes are offered and marked', () => {
    const graph = new library.LGraph();
    const [text, save] = [create(library, graph, 'Text'), create(library, graph, 'Save')];
    expect(listCandidates(save)).toEqual([]);
    toggleMark(text, 'seed', true);
    toggleOutput(save, true);
    expect(
      listCandidates(text).map(({ name, value, marked, whyNot }) => [name, value, marked, whyNot]),
    ).toEqual([
      ['text', 'a house', false, undefined],
      ['seed', 5, true, undefined],
    ]);
    expect(collectMarks(graph)).toMatchObject([{ path: String(text.id), problems: [] }]);
    expect(collectOutputs(graph)).toMatchObject([{ path: String(save.id), problems: [] }]);
  });

  withLibrary('marks are saved and loaded with the workflow', () => {
    const graph = new library.LGraph();
    const [text, save] = [create(library, graph, 'Text'), create(library, graph, 'Save')];
    toggleMark(text, 'text', true);
    updateMark(text, 'text', { label: '프롬프트', options: ['a', 'b'] });
    toggleOutput(save, true);
    const saved = JSON.stringify(graph.serialize());
    const loaded = new library.LGraph();
    loaded.configure(JSON.parse(saved));
    expect(readMarks(loaded.getNodeById(text.id))).toEqual(readMarks(text));
    expect(readMarks(loaded.getNodeById(save.id)).output).toBe(true);
    expect(JSON.stringify(loaded.serialize()['nodes'])).toContain('프롬프트');
  });

  withLibrary('a clone has marks of its own', () => {
    const graph = new library.LGraph();
    const text = create(library, graph, 'Text');
    toggleMark(text, 'text', true);
    updateMark(text, 'text', { options: ['a'] });
    const before = readMarks(text);
    const clone = text.clone();
    graph.add(clone);
    expect(readMarks(clone)).toEqual(before);
    updateMark(clone, 'text', { options: ['b'], label: 'x' });
    expect(readMarks(text)).toEqual(before);
    toggleMark(text, 'text', false);
    expect(readMarks(clone).inputs).toHaveLength(1);
  });

  withLibrary('a linked widget is told, and works again when the link is gone', () => {
    const graph = new library.LGraph();
    const [from, to] = [create(library, graph, 'Text'), create(library, graph, 'Text')];
    from.connect(0, to, 0);
    toggleMark(to, 'text', true);
    toggleMark(to, 'seed', true);
    expect(collectMarks(graph).map(({ problems }) => problems)).toEqual([['linked'], []]);
    expect(listCandidates(to).map(({ whyNot }) => whyNot)).toEqual(['linked', undefined]);
    (to as unknown as { disconnectInput(slot: number): void }).disconnectInput(0);
    expect(collectMarks(graph).map(({ problems }) => problems)).toEqual([[], []]);
  });

  withLibrary('muted and bypassed nodes are told', () => {
    const graph = new library.LGraph();
    const text = create(library, graph, 'Text');
    toggleMark(text, 'text', true);
    for (const [mode, problem] of [
      [2, 'muted'],
      [4, 'bypassed'],
    ] as const) {
      text.mode = mode;
      expect(collectMarks(graph)[0]?.problems).toEqual([problem]);
    }
  });
});

const [[, comfy]] = libraries as [(typeof libraries)[0], ...unknown[]];

describe('subgraphs of @comfyorg/litegraph', () => {
  const withLibrary = comfy === undefined ? test.skip : test;
  const library = comfy!;

  /** As the editor does when a subgraph is made: its instances are nodes of a class of its own. */
  function createGraph(): LiveGraph {
    const graph = new library.LGraph();
    graph.events.addEventListener('subgraph-created', ({ detail: { subgraph, data } }) => {
      class Instance extends library.SubgraphNode {
        constructor() {
          super(graph, subgraph, {
            id: -1,
            type: data.id,
            pos: [0, 0],
            size: [9, 9],
            inputs: [],
            outputs: [],
            mode: 0,
          });
        }
      }
      library.LiteGraph.registerNodeType(data.id, Instance);
    });
    return graph;
  }

  /** What the editor makes of it, by the library's own flattening. */
  function exportPrompt(graph: LiveGraph): ApiPrompt {
    const executables = new Map<string, Executable>();
    for (const node of graph.nodes as LiveNode[]) {
      const own = new library.ExecutableNodeDTO(node, [], executables, undefined);
      executables.set(own.id, own);
      for (const inner of own.getInnerNodes()) executables.set(inner.id, inner);
    }
    const prompt: ApiPrompt = {};
    for (const { id, node, inputs, resolveInput } of [...executables.values()].map((each) => ({
      id: each.id,
      node: each.node,
      inputs: each.inputs,
      resolveInput: (slot: number) => each.resolveInput(slot),
    }))) {
      if (node.isVirtualNode === true || node.mode === 2 || node.mode === 4) continue;
      const values: Record<string, unknown> = {};
      for (const { name, value } of node.widgets ?? []) values[name] = value;
      for (const [slot, { name }] of inputs.entries()) {
        const linked = resolveInput(slot);
        if (linked?.widgetInfo !== undefined) values[name] = linked.widgetInfo.value;
        else if (linked !== undefined) values[name] = [String(linked.origin_id), linked.origin_slot];
      }
      prompt[id] = { class_type: node.comfyClass ?? '', inputs: values, _meta: { title: node.title ?? '' } };
    }
    return prompt;
  }

  function publish(graph: LiveGraph) {
    const prompt = addMarks(exportPrompt(graph), collectMarks(graph), collectOutputs(graph));
    const parsed = parseWorkflow({ fileName: 'w', text: JSON.stringify(prompt) });
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(parsed.workflow.problems).toEqual([]);
    const keys = parsed.workflow.inputs.map(({ key }) => key);
    expect(keys).toEqual(
      listInputs(collectMarks(graph)).map(({ target: { nodeId, inputName } }) => `${nodeId}/${inputName}`),
    );
    return { prompt, keys };
  }

  interface Boundary {
    inputNode: { slots: { connect(slot: SlotLike, node: LiveNode): unknown }[] };
    addInput(name: string, type: string): Boundary['inputNode']['slots'][0];
  }

  /** Makes a node the inside of a subgraph, and shows the named widgets outside. */
  function wrap(graph: LiveGraph, node: LiveNode, promoted: Record<string, string>) {
    const { node: host } = graph.convertToSubgraph(new Set([node]));
    const inside = host.subgraph as unknown as Boundary & LiveGraph;
    const inner = (inside.nodes as LiveNode[])[0]!;
    for (const [name, outer] of Object.entries(promoted)) {
      const slot = inner.inputs.find((each) => each.name === name)!;
      inside.addInput(outer, String(slot.type)).connect(slot, inner);
    }
    return { host, inner };
  }

  withLibrary('marks survive that their node becomes the inside of a subgraph', () => {
    const graph = createGraph();
    const text = create(library, graph, 'Text');
    toggleMark(text, 'text', true);
    updateMark(text, 'text', { label: 'Prompt' });
    const { host, inner } = wrap(graph, text, {});
    expect(readMarks(inner).inputs).toEqual([{ name: 'text', label: 'Prompt' }]);
    expect(publish(graph).keys).toEqual([`${host.id}:${inner.id}/text`]);
  });

  withLibrary('a promoted widget reaches its inner input, with the value that it has outside', () => {
    const graph = createGraph();
    const { host, inner } = wrap(graph, create(library, graph, 'Text'), { text: 'prompt', seed: 'noise' });
    expect(listCandidates(host).map(({ name, whyNot }) => [name, whyNot])).toEqual([
      ['prompt', undefined],
      ['noise', undefined],
    ]);
    toggleMark(host, 'prompt', true);
    toggleMark(inner, 'seed', true);
    host.widgets[0]!.value = 'outside';
    const { keys, prompt } = publish(graph);
    const id = `${host.id}:${inner.id}`;
    expect(keys).toEqual([`${id}/text`, `${id}/seed`]);
    expect(prompt[id]?.inputs['text']).toBe('outside');
    expect(prompt[id]?._meta?.['apiinput']).toBe('text,seed');
  });

  withLibrary('a promoted widget that is linked outside is told, and not exported', () => {
    const graph = createGraph();
    const from = create(library, graph, 'Text');
    const { host } = wrap(graph, create(library, graph, 'Text'), { text: 'prompt' });
    toggleMark(host, 'prompt', true);
    from.connect(0, host, 0);
    expect(collectMarks(graph).map(({ problems }) => problems)).toEqual([['linked']]);
    expect(publish(graph).keys).toEqual([]);
  });

  withLibrary('through two subgraphs, and again when the outer one is used twice', () => {
    const graph = createGraph();
    const first = wrap(graph, create(library, graph, 'Text'), { text: 'prompt' });
    toggleMark(first.inner, 'seed', true);
    const { host, inner } = wrap(graph, first.host, { prompt: 'outer' });
    const twin = library.LiteGraph.createNode(String(host.type));
    graph.add(twin);
    toggleMark(host, 'outer', true);
    const id = `${inner.id}:${first.inner.id}`;
    const expected = [`${host.id}:${id}/text`, `${host.id}:${id}/seed`, `${twin.id}:${id}/seed`];
    expect(publish(graph).keys).toEqual(expected);
    expect(keysOf(graph)).toEqual(expected);
    twin.mode = 2;
    expect(collectMarks(graph).map(({ problems }) => problems)).toEqual([[], [], ['muted']]);
  });

  withLibrary('saved, loaded and exported, subgraphs keep their marks', () => {
    const graph = createGraph();
    const { host, inner } = wrap(graph, create(library, graph, 'Text'), { text: 'prompt' });
    toggleMark(host, 'prompt', true);
    toggleMark(inner, 'seed', true);
    toggleOutput(inner, true);
    const again = createGraph();
    again.configure(JSON.parse(JSON.stringify(graph.serialize())));
    expect(publish(again)).toEqual(publish(graph));

    // And from the API file into the same workflow without marks.
    const { prompt } = publish(graph);
    toggleMark(host, 'prompt', false);
    toggleMark(inner, 'seed', false);
    toggleOutput(inner, false);
    expect(importFromApiFile(prompt, graph).left).toEqual([]);
    expect(readMarks(host).inputs).toMatchObject([{ name: 'prompt' }]);
    expect(publish(graph).keys).toEqual([`${host.id}:${inner.id}/text`, `${host.id}:${inner.id}/seed`]);
  });
});
