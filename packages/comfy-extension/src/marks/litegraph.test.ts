import { describe, expect, test } from 'vitest';

import { collectMarks, collectOutputs } from './collect-marks.ts';
import { toggleMark, toggleOutput, updateMark } from './edit-marks.ts';
import { listCandidates } from './list-candidates.ts';
import { readMarks } from './stored-marks.ts';
import { create, libraries, register } from './_live-graphs.ts';

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
