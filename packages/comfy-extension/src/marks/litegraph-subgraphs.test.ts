import type { ApiPrompt } from '@comfy-bridge/protocol';
import { describe, expect, test } from 'vitest';

import { parseWorkflow } from '../../../bridge/src/workflows/catalog/parse-workflow.ts';
import { addMarks } from './add-marks.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { listInputs } from './form-fields.ts';
import type { SlotLike } from './graph-types.ts';
import { importFromApiFile } from './import-api-file.ts';
import { listCandidates } from './list-candidates.ts';
import { readMarks } from './stored-marks.ts';
import { create, keysOf, libraries, register } from './_live-graphs.ts';
import type { Executable, LiveGraph, LiveNode } from './_live-graphs.ts';

const [[, comfy]] = libraries as [(typeof libraries)[0], ...unknown[]];

describe('subgraphs of @comfyorg/litegraph', () => {
  const withLibrary = comfy === undefined ? test.skip : test;
  const library = comfy!;
  if (comfy !== undefined) register(comfy);

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
