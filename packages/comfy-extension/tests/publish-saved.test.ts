import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { carryMarks } from '../../bridge/src/workflows/catalog/carry-marks.ts';
import { parseWorkflow } from '../../bridge/src/workflows/catalog/parse-workflow.ts';
import { convertUiWorkflow } from '../../bridge/src/workflows/convert-ui/convert-ui-workflow.ts';
import { findFixtureDefinition } from '../../bridge/src/workflows/fixtures/ui-fixtures.ts';
import type { ApiPrompt } from '@comfy-bridge/protocol';
import { fromSavedFile } from '../src/marks/_saved-graph.ts';
import { addMarks } from '../src/marks/add-marks.ts';
import { collectMarks, collectOutputs } from '../src/marks/collect-marks.ts';

type Json = Record<string, unknown>;

/** A workflow that an editor saved, with marks put into it by hand: on a widget that a subgraph promotes, and on a result. */
function readMarked(version: string): Json {
  const folder = new URL('../src/marks/fixtures/', import.meta.url);
  const file = JSON.parse(readFileSync(new URL(`app-mode-${version}.json`, folder), 'utf8')) as {
    nodes: { id: number; properties: Json }[];
  };
  const mark = (id: number, marks: Json): void => {
    const node = file.nodes.find((each) => each.id === id);
    if (node !== undefined) node.properties['apiInputs'] = { v: 1, inputs: [], ...marks };
  };
  mark(3, { inputs: [{ name: 'seed', order: 1 }] });
  mark(10, { inputs: [{ name: 'text', label: 'Prompt', order: 0 }] });
  mark(9, { output: true });
  return file;
}

function publish(prompt: ApiPrompt) {
  const parsed = parseWorkflow({ fileName: 'w.json', text: JSON.stringify(prompt) });
  if (!parsed.ok) throw new Error(parsed.problem);
  const { inputs, outputNodes, problems } = parsed.workflow;
  return { inputs: inputs.map(({ key, mark }) => [key, mark]), outputNodes, problems };
}

describe.each(['1.45.21', '1.58.1'])('a workflow saved by the editor %s', (version) => {
  const file = readMarked(version);
  const converted = convertUiWorkflow(file, { findDefinition: findFixtureDefinition });
  const prompt = converted.ok ? converted.prompt : {};

  test('is published with the marks that its export would have', () => {
    expect(converted).toMatchObject({ ok: true });
    const graph = fromSavedFile(file, findFixtureDefinition);
    const exported = publish(addMarks(prompt, collectMarks(graph), collectOutputs(graph)));
    const carried = carryMarks(file, prompt);
    expect(carried.problems).toEqual([]);
    expect(publish(carried.prompt)).toEqual(exported);
    expect(exported).toEqual({
      inputs: [
        ['10:6/text', { name: 'text', label: 'Prompt', order: 0 }],
        ['3/seed', { name: 'seed', order: 1 }],
      ],
      outputNodes: ['9'],
      problems: [],
    });
  });
});
