import { expect, test } from 'vitest';

import { findDefinition } from '../fixtures/find-definition.ts';
import { describeOutputs, toOutputSchema } from './output-schema.ts';
import { parseWorkflow } from '../catalog/parse-workflow.ts';

function workflowOf(nodes: Record<string, { class_type: string; _meta?: object }>) {
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(nodes).map(([id, node]) => [id, { inputs: {}, ...node }])),
  );
  const parsed = parseWorkflow({ fileName: 'x.json', text });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.workflow;
}

const nodes = {
  '1': { class_type: 'KSampler' },
  '2': { class_type: 'SaveImage', _meta: { title: 'Final' } },
  '3': { class_type: 'VHS_VideoCombine' },
  '4': { class_type: 'PreviewAny' },
  '5': { class_type: 'SaveLatent' },
  '6': { class_type: 'SaveAudioMP3' },
};

test('every node that gives results is an output, also where no machine is there to say so', () => {
  expect(describeOutputs(workflowOf(nodes), () => undefined)).toEqual([
    { node_id: '2', title: 'Final', types: ['image'] },
    { node_id: '3', title: 'VHS_VideoCombine', types: ['video', 'image'] },
    { node_id: '4', title: 'PreviewAny', types: ['text'] },
    { node_id: '5', title: 'SaveLatent', types: ['latent'] },
    { node_id: '6', title: 'SaveAudioMP3', types: ['audio'] },
  ]);
});

test('a class that is not known gives anything, if the fleet says that it gives results', () => {
  const own = { classType: 'Own', displayName: '', inputs: new Map(), outputs: [], outputNode: true };
  const outputs = describeOutputs(workflowOf({ '1': { class_type: 'Own' } }), () => own);
  expect(outputs).toEqual([{ node_id: '1', title: 'Own', types: [] }]);
  expect(toOutputSchema(outputs)).toMatchObject({
    items: { anyOf: [{ title: 'Own', properties: { node_id: { const: '1' } } }] },
  });
});

test('with marked nodes, only they are', () => {
  const marked = { ...nodes, '3': { class_type: 'Own', _meta: { bridge: { v: 1, output: true } } } };
  expect(describeOutputs(workflowOf(marked), findDefinition).map(({ node_id }) => node_id)).toEqual(['3']);
});
