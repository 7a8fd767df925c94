import { expect, test } from 'vitest';

import { link, makeGraph, makeInstance, makeNode } from './_graphs.ts';
import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import type { GraphLike } from './graph-types.ts';
import { watchMarks } from './watch-marks.ts';

function makeMarked() {
  const inner = makeNode(3, 'A', { text: '', seed: 1 });
  const inside = makeGraph([inner], { id: 'inside' });
  const host = makeInstance(12, inside, { prompt: [[inner, 'text']] });
  const sampler = makeNode(5, 'KSampler', { seed: 1, steps: 20 });
  const other = makeNode(6, 'Other', { seed: 1 });
  const graph = makeGraph([host, sampler, other]);
  for (const [node, name] of [
    [host, 'prompt'],
    [inner, 'seed'],
    [sampler, 'seed'],
  ] as const)
    toggleMark(node, name, true);
  return { graph, host, inner, sampler, other };
}

const plain = (graph: GraphLike) => ({ entries: collectMarks(graph), outputs: collectOutputs(graph) });

type Marked = ReturnType<typeof makeMarked>;
const changes: [name: string, change: (marked: Marked) => void][] = [
  ['a mark that comes', ({ other }) => toggleMark(other, 'seed', true)],
  ['a mark that goes', ({ sampler }) => toggleMark(sampler, 'seed', false)],
  ['a label', ({ sampler }) => updateMark(sampler, 'seed', { label: 'Seed' })],
  ['the order', ({ sampler }) => updateMark(sampler, 'seed', { order: 0 })],
  ['a result', ({ sampler }) => toggleOutput(sampler, true)],
  ['a muted node', ({ sampler }) => void (sampler.mode = 2)],
  ['a bypassed subgraph', ({ host }) => void (host.mode = 4)],
  ['a muted node that a promoted widget sets', ({ inner }) => void (inner.mode = 2)],
  ['a title', ({ sampler }) => void (sampler.title = 'Mine')],
  [
    'a link',
    ({ graph, sampler }) => {
      link(graph, 6, 0, sampler, 'seed');
    },
  ],
  [
    'a link inside',
    ({ inner }) => {
      link(inner.graph!, 99, 0, inner, 'seed');
    },
  ],
  ['a widget that is gone', ({ sampler }) => void sampler.widgets!.shift()],
  [
    'a node that is gone',
    ({ graph, sampler }) => void (graph.nodes = graph.nodes!.filter((each) => each !== sampler)),
  ],
];

test.each(changes)('%s is seen at the next look, and no change is none', (_, change) => {
  const marked = makeMarked();
  const watch = watchMarks();
  const first = watch.look(marked.graph);
  expect(first).toMatchObject(plain(marked.graph));
  expect(watch.look(marked.graph, { isIdle: true })).toBe(first);
  change(marked);
  const second = watch.look(marked.graph);
  expect(second).toMatchObject(plain(marked.graph));
  expect(second.revision).toBeGreaterThan(first.revision);
  expect(watch.look(marked.graph, { isIdle: true })).toBe(second);
});

test('nodes that undo made anew are the ones of the entries', () => {
  const watch = watchMarks();
  watch.look(makeMarked().graph);
  const { graph, sampler } = makeMarked();
  expect(watch.look(graph).entries.map(({ node }) => node)).toContain(sampler);
});

test('what cannot be seen cheaply is found by looking on', () => {
  const { graph, sampler } = makeMarked();
  const watch = watchMarks();
  const { revision } = watch.look(graph);
  sampler.widgets![0]!.label = 'renamed';
  const looks = Array.from({ length: 20 }, () => watch.look(graph, { isIdle: true }));
  expect(looks.at(-1)?.revision).toBe(revision + 1);
  expect(looks.at(-1)?.entries.map(({ widget }) => widget?.label)).toContain('renamed');
});
