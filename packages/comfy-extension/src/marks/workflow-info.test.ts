import { expect, test } from 'vitest';

import { parseWorkflow } from '../../../bridge/src/workflows/catalog/parse-workflow.ts';
import { describeInputs } from '../../../bridge/src/workflows/inputs/describe-inputs.ts';
import { makeGraph, makeInstance, makeNode, makeWidget, toPrompt } from './_graphs.ts';
import { addMarks } from './add-marks.ts';
import { collectMarks } from './collect-marks.ts';
import { toggleMark, updateMark } from './edit-marks.ts';
import type { GraphLike } from './graph-types.ts';
import { toWorkflowInfo } from './workflow-info.ts';

/** What the bridge answers for the exported workflow when no machine tells it more. */
function bridgeInfo(graph: GraphLike) {
  const parsed = parseWorkflow({
    fileName: 'w',
    text: JSON.stringify(addMarks(toPrompt(graph), collectMarks(graph))),
  });
  if (!parsed.ok) throw new Error(parsed.problem);
  return describeInputs(parsed.workflow, () => undefined);
}

test('the preview is what the bridge will answer', () => {
  const inner = makeNode(3, 'CLIPTextEncode', { text: '' }, { title: 'Positive' });
  const host = makeInstance(
    12,
    makeGraph([inner], { id: 'inside' }),
    { prompt: [[inner, 'text']] },
    { prompt: '' },
  );
  const node = makeNode(1, 'KSampler', { seed: 5, cfg: 7.5, sampler: 'euler', on: true, 'a/b': 1 });
  const load = makeNode(2, 'LoadImage', { image: 'x.png' });
  const graph = makeGraph([node, load, host]);
  for (const each of [node, load, host]) for (const { name } of each.widgets!) toggleMark(each, name, true);
  updateMark(host, 'prompt', { label: '프롬프트', description: 'd', required: true, order: 0 });
  updateMark(node, 'cfg', { min: 1, max: 30, step: 0.5 });
  updateMark(node, 'sampler', { options: ['euler', 'ddim'] });
  const info = toWorkflowInfo(collectMarks(graph));
  expect(Object.keys(info)).toEqual(['12:3/text', '1/seed', '1/cfg', '1/sampler', '1/on', '2/image']);
  expect(info).toEqual(bridgeInfo(graph));
});

test("the widget's own limits and options are told as a machine would", () => {
  const node = makeNode(1, 'A');
  node.widgets = [
    makeWidget('steps', 5, { options: { min: 1, max: 100, step: 10, precision: 0 } }),
    makeWidget('sampler', 'a', { options: { values: ['a', 'b'] } }),
  ];
  for (const { name } of node.widgets) toggleMark(node, name, true);
  expect(toWorkflowInfo(collectMarks(makeGraph([node])))).toMatchObject({
    '1/steps': { type: 'int', min: 1, max: 100, step: 1 },
    '1/sampler': { type: 'str', options: ['a', 'b'] },
  });
});
