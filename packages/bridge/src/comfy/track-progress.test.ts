import type { ApiPrompt } from '@comfy-bridge/protocol';
import { describe, expect, it } from 'vitest';
import { readRecording, recordingNames } from './_recordings.ts';
import type { ComfyMessage, NodeProgress } from './comfy-messages.ts';
import { planProgress } from './plan-progress.ts';
import { createProgressTracker } from './track-progress.ts';

const promptId = 'p';
const node = (inputs: Record<string, unknown>, class_type = 'Any'): ApiPrompt[string] => ({
  class_type,
  inputs,
});

/** load → sample (20 steps) → decode → save, and a stray node that nothing needs. */
const graph: ApiPrompt = {
  load: node({}),
  sample: node({ model: ['load', 0], steps: 20 }, 'KSampler'),
  decode: node({ samples: ['sample', 0] }),
  save: node({ images: ['decode', 0] }),
  stray: node({ model: ['load', 0], steps: 100 }),
};

const executing = (id: string | null, displayNode = id): ComfyMessage => ({
  type: 'executing',
  promptId,
  node: id,
  displayNode,
});
const progress = (id: string, value: number, max: number): ComfyMessage => ({
  type: 'progress',
  promptId,
  node: id,
  value,
  max,
});
const cached = (...nodes: string[]): ComfyMessage => ({ type: 'execution-cached', promptId, nodes });
const success: ComfyMessage = { type: 'execution-success', promptId };
const executed = (id: string): ComfyMessage => ({
  type: 'executed',
  promptId,
  node: id,
  displayNode: id,
  output: null,
});
const state = (
  nodeId: string,
  value: number,
  max: number,
  rest: Partial<NodeProgress> = {},
): NodeProgress => ({
  nodeId,
  displayNodeId: nodeId,
  realNodeId: nodeId,
  state: 'running',
  value,
  max,
  ...rest,
});
const states = (...nodes: NodeProgress[]): ComfyMessage => ({ type: 'progress-state', promptId, nodes });

describe('planProgress', () => {
  it('weighs nodes by their steps, and only those that the output needs', () => {
    expect(Object.fromEntries(planProgress(graph, ['save']))).toEqual({
      load: 1,
      sample: 11,
      decode: 1,
      save: 1,
    });
  });

  it('takes the nodes that nobody takes from for the outputs when told none', () => {
    expect([...planProgress(graph).keys()].toSorted()).toEqual(['decode', 'load', 'sample', 'save', 'stray']);
    expect(planProgress(graph, ['gone']).has('save')).toBe(true);
  });

  it("gives a scheduler's steps to the sampler that takes its sigmas", () => {
    const prompt: ApiPrompt = {
      scheduler: node({ steps: 8 }),
      split: node({ sigmas: ['scheduler', 0] }),
      sampler: node({ sigmas: ['split', 1] }),
    };
    expect(Object.fromEntries(planProgress(prompt))).toEqual({ scheduler: 1, split: 1, sampler: 5 });
  });

  it('ends on a graph with a loop, and with any node id', () => {
    const prompt: ApiPrompt = JSON.parse(
      '{"a":{"class_type":"A","inputs":{"sigmas":["b",0]}},"b":{"class_type":"B","inputs":{"sigmas":["a",0]}},"__proto__":{"class_type":"C","inputs":{"x":["a",0],"y":["constructor",0]}}}',
    );
    expect([...planProgress(prompt).keys()].toSorted()).toEqual(['__proto__', 'a', 'b']);
  });
});

describe('a recorded run', () => {
  it.each(recordingNames)('never falls and stays below 1 until it has succeeded: %s', (name) => {
    const { prompt, messages } = readRecording(name);
    const tracker = createProgressTracker(prompt, []);
    let value = 0;
    let succeeded = false;
    for (const message of messages) {
      tracker.apply(message);
      succeeded ||= message.type === 'execution-success';
      const snapshot = tracker.snapshot();
      expect(snapshot.value).toBeGreaterThanOrEqual(value);
      if (succeeded) expect(snapshot.value).toBe(1);
      else expect(snapshot.value).toBeLessThan(1);
      expect(snapshot.nodes_done).toBeLessThanOrEqual(snapshot.nodes_total);
      value = snapshot.value;
    }
    expect(succeeded).toBe(name !== 'error' && name !== 'interrupted');
    expect(tracker.snapshot().current_node).toBeNull();
  });

  it('spends most of its percentage on the sampler', () => {
    const { prompt, messages } = readRecording('text-to-image');
    const tracker = createProgressTracker(prompt);
    const bySteps: [number | null, number][] = [];
    for (const message of messages) {
      tracker.apply(message);
      const { current_node_class, step, value } = tracker.snapshot();
      if (current_node_class === 'KSampler' && step !== bySteps.at(-1)?.[0]) bySteps.push([step, value]);
    }
    expect(bySteps.map(([step]) => step)).toEqual([null, 1, 2, 3, 4, 5, 6, 7, 8]);
    // Six nodes of weight 1 and one of 1 + 8 / 2: four are done before, two come after.
    expect(bySteps[0]?.[1]).toBeCloseTo(4 / 11);
    expect(bySteps[4]?.[1]).toBeCloseTo((4 + 5 / 2) / 11);
    expect(bySteps[8]?.[1]).toBeCloseTo(9 / 11, 3);
  });

  it('counts cached nodes as done at once', () => {
    const { prompt, messages } = readRecording('partly-cached');
    const tracker = createProgressTracker(prompt);
    for (const message of messages.slice(
      0,
      messages.findIndex(({ type }) => type === 'execution-cached') + 1,
    )) {
      tracker.apply(message);
    }
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 1, nodes_total: 4, value: 1 / 6 });
  });

  it('stops at what was done when it fails or is interrupted', () => {
    const { prompt, messages } = readRecording('interrupted');
    const tracker = createProgressTracker(prompt);
    for (const message of messages) tracker.apply(message);
    // Three nodes of weight 1, one of 1 + 50 / 2; two are done and 7 of 50 steps.
    expect(tracker.snapshot().value).toBeCloseTo((2 + 26 * (7 / 50)) / 29);
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 2, nodes_total: 4 });
  });
});

describe('createProgressTracker', () => {
  it('shows the node, its class and its steps', () => {
    const tracker = createProgressTracker(graph, ['save']);
    tracker.apply(executing('load'));
    tracker.apply(executing('sample'));
    expect(tracker.snapshot()).toMatchObject({
      current_node: 'sample',
      current_node_class: 'KSampler',
      step: null,
      nodes_done: 1,
    });
    tracker.apply(progress('sample', 5, 20));
    expect(tracker.snapshot()).toEqual({
      value: (1 + 11 / 4) / 14,
      nodes_done: 1,
      nodes_total: 4,
      current_node: 'sample',
      current_node_class: 'KSampler',
      step: 5,
      steps: 20,
    });
  });

  it('says whether anything changed', () => {
    const tracker = createProgressTracker(graph, ['save']);
    expect(tracker.apply(progress('sample', 5, 20))).toBe(true);
    expect(tracker.apply(progress('sample', 5, 20))).toBe(false);
    expect(tracker.apply({ type: 'status', queueRemaining: 1, sid: undefined })).toBe(false);
    expect(tracker.apply(success)).toBe(true);
    expect(tracker.apply(success)).toBe(false);
  });

  it('does not fall when a node starts its steps again', () => {
    const tracker = createProgressTracker(graph, ['save']);
    tracker.apply(progress('sample', 20, 20));
    const { value } = tracker.snapshot();
    tracker.apply(progress('sample', 1, 20));
    expect(tracker.snapshot()).toMatchObject({ value, step: null });
    tracker.apply(executing('sample'));
    expect(tracker.snapshot()).toMatchObject({ value, step: 1 });
  });

  it('stays below 1 when everything was cached, and is 1 after success', () => {
    const tracker = createProgressTracker(graph, ['save']);
    tracker.apply(cached('load', 'sample', 'decode', 'save'));
    expect(tracker.snapshot()).toMatchObject({ value: 0.9999, nodes_done: 4 });
    tracker.apply(executed('save'));
    tracker.apply(success);
    expect(tracker.snapshot()).toMatchObject({ value: 1, nodes_done: 4 });
  });

  it('follows branches that run at the same time and finish out of order', () => {
    const prompt: ApiPrompt = { a: node({}), b: node({}), c: node({ x: ['a', 0], y: ['b', 0] }) };
    const tracker = createProgressTracker(prompt);
    tracker.apply(states(state('a', 0, 1)));
    tracker.apply(executing('a'));
    tracker.apply(states(state('a', 0, 1), state('b', 0, 1)));
    tracker.apply(executing('b'));
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 0, value: 0, current_node: 'b' });
    tracker.apply(states(state('a', 1, 2), state('b', 1, 1, { state: 'finished' })));
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 1, value: 0.5 });
    tracker.apply(states(state('a', 1, 1, { state: 'finished' }), state('b', 1, 1, { state: 'finished' })));
    expect(tracker.snapshot().nodes_done).toBe(2);
  });

  it('takes a node for finished when the next one starts, where the server does not say', () => {
    const tracker = createProgressTracker(graph, ['save']);
    for (const id of ['load', 'sample', 'decode']) tracker.apply(executing(id));
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 2, value: 12 / 14, current_node: 'decode' });
  });

  it('counts copies of an expanded node for that node, which is not done before it says so', () => {
    const prompt: ApiPrompt = { '5': node({}), '6': node({ x: ['5', 0] }) };
    const tracker = createProgressTracker(prompt);
    const copy = { displayNodeId: 'made-up', realNodeId: '5' };
    tracker.apply(executing('5.0.0.1', '5'));
    expect(tracker.snapshot()).toMatchObject({ current_node: '5', nodes_total: 2 });
    tracker.apply(
      states(
        state('5', 0, 1),
        state('5.0.0.1', 1, 1, { ...copy, state: 'finished' }),
        state('5.0.0.2', 1, 2, copy),
      ),
    );
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 0, value: 0.25 });
    tracker.apply(states(state('5', 1, 1, { state: 'finished' })));
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 1, value: 0.5 });
    // The next pass of a loop makes new copies.
    tracker.apply(states(state('5.0.1.1', 0, 1, copy)));
    expect(tracker.snapshot()).toMatchObject({ nodes_done: 1, value: 0.5 });
  });

  it('ignores nodes that it does not know', () => {
    const tracker = createProgressTracker(graph, ['save']);
    for (const message of [
      executing('ghost'),
      progress('ghost', 1, 2),
      progress('__proto__', 1, 2),
      executed('ghost'),
      cached('ghost', 'constructor'),
      states(state('ghost', 1, 1, { state: 'finished' })),
    ]) {
      expect(tracker.apply(message)).toBe(false);
    }
  });

  it('takes in a node that runs although nobody asked for its output', () => {
    const tracker = createProgressTracker(graph, ['save']);
    tracker.apply(cached('load', 'sample', 'decode'));
    const { value } = tracker.snapshot();
    tracker.apply(executing('stray'));
    expect(tracker.snapshot()).toMatchObject({ current_node: 'stray', nodes_total: 5, value });
  });

  it('survives nonsense numbers', () => {
    const tracker = createProgressTracker(graph, ['save']);
    for (const [value, max] of [
      [-5, 10],
      [5, 0],
      [1e308, 1],
      [5, -1],
    ] as const) {
      tracker.apply(progress('sample', value, max));
      const snapshot = tracker.snapshot().value;
      expect(snapshot >= 0 && snapshot < 1).toBe(true);
    }
  });
});
