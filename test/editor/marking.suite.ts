import { expect } from 'vitest';

import { eventually } from './_eventually.ts';
import {
  bringToView,
  focusKey,
  formField,
  keptMarks,
  mark,
  markNames,
  marks,
  openForm,
  openWorkflow,
  select,
  selectedIds,
  tickBox,
  warnings,
} from './_author.ts';
import { picture } from './_graphs.ts';
import type { Steps } from './_steps.ts';

/** What an author does in the tab "API inputs". */
export function markingSuite({ each, once }: Steps): void {
  each('comes up without a word in the console, and nothing is marked', async (editor) => {
    expect(editor.saidAtStart).toEqual([]);
    await openWorkflow(editor, picture);
    await editor.page.getByText('Nothing is marked yet.').first().waitFor();
  });

  each('a ticked input of the clicked node is marked, and unmarked again', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    await mark(editor, 3, 'seed');
    expect(await markNames(editor)).toEqual(['text', 'seed']);
    expect(await keptMarks(editor, 6)).toMatchObject({ inputs: [{ name: 'text' }] });
    await editor.shoot('marked');
    await tickBox(editor, 'tick:3:seed').uncheck();
    await eventually(() => marks(editor).count()).toBe(1);
    expect(await keptMarks(editor, 3)).toBeUndefined();
  });

  once('a mark gets a label, limits and more, and the focus stays where the author is', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 3, 'steps');
    await openForm(editor, '3/steps');
    await formField(editor, '3/steps', 'label').fill('Quality');
    await editor.page.keyboard.press('Tab');
    await eventually(() => markNames(editor)).toEqual(['Quality']);
    expect(await focusKey(editor)).toBe('form:3/steps:description');
    await editor.page.keyboard.type('More is slower');
    await formField(editor, '3/steps', 'required').check();
    await formField(editor, '3/steps', 'type').selectOption('int');
    await formField(editor, '3/steps', 'min').fill('1');
    await formField(editor, '3/steps', 'max').fill('30');
    await formField(editor, '3/steps', 'max').press('Enter');
    const inputs = [
      {
        name: 'steps',
        label: 'Quality',
        description: 'More is slower',
        required: true,
        type: 'int',
        min: 1,
        max: 30,
      },
    ];
    await eventually(() => keptMarks(editor, 3)).toMatchObject({ inputs });
    await editor.shoot('form');
    await formField(editor, '3/steps', 'max').fill('many');
    await formField(editor, '3/steps', 'max').press('Enter');
    await editor.page.getByText('"many" is not a number').first().waitFor();
    expect(await keptMarks(editor, 3)).toMatchObject({ inputs });
  });

  each('marks keep their order, whatever node is clicked', async (editor) => {
    await openWorkflow(editor, picture);
    for (const [id, name] of [
      [6, 'text'],
      [3, 'seed'],
      [5, 'width'],
    ] as const)
      await mark(editor, id, name);
    for (const id of [6, 3, 9]) {
      await select(editor, id);
      await tickBox(editor, `output:${id}`).waitFor();
      expect(await markNames(editor)).toEqual(['text', 'seed', 'width']);
    }
  });

  once('the arrow keys on a handle move a mark, and the handle keeps the focus', async (editor) => {
    await openWorkflow(editor, picture);
    for (const name of ['steps', 'cfg', 'seed']) await mark(editor, 3, name);
    const before = await markNames(editor);
    const last = before.at(-1) ?? '';
    await editor.page.locator(`[data-focus-key="move:3/${last}"]`).focus();
    await editor.page.keyboard.press('ArrowUp');
    await eventually(() => markNames(editor)).toEqual([before[0], last, before[1]]);
    expect(await focusKey(editor)).toBe(`move:3/${last}`);
    await editor.page.keyboard.press('ArrowUp');
    await eventually(() => markNames(editor)).toEqual([last, before[0], before[1]]);
  });

  each('a mark is dragged to another place', async (editor) => {
    await openWorkflow(editor, picture);
    for (const name of ['scheduler', 'cfg', 'denoise']) await mark(editor, 3, name);
    const before = await markNames(editor);
    const target = marks(editor).nth(2);
    // Scrolling while the button is down would take the handle away from under the pointer.
    await target.scrollIntoViewIfNeeded();
    await editor.page
      .locator('.cb-handle')
      .first()
      .dragTo(target, { targetPosition: { x: 60, y: 15 } });
    await eventually(() => markNames(editor)).toEqual([before[1], before[2], before[0]]);
  });

  each('the title above a mark leads to its node', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    await select(editor, 9);
    await editor.page.locator('.cb-node .cb-link', { hasText: 'Positive' }).click();
    await eventually(() => selectedIds(editor)).toEqual(['6']);
    await editor.page.locator('.cb-sidebar h4', { hasText: 'Positive' }).waitFor();
  });

  once('warns of a muted node, of a connected input and of a label that is taken', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    await mark(editor, 7, 'text');
    await select(editor, 6);
    await editor.page.keyboard.press('Control+m');
    await eventually(() => warnings(editor)).toEqual([expect.stringContaining('muted')]);
    await editor.shoot('warning');
    await editor.page.keyboard.press('Control+m');
    await eventually(() => warnings(editor)).toEqual([]);
    for (const key of ['6/text', '7/text']) {
      await openForm(editor, key);
      await formField(editor, key, 'label').fill('Words');
      await formField(editor, key, 'label').press('Enter');
    }
    await eventually(() => warnings(editor)).toContainEqual(expect.stringContaining('same label'));
    await mark(editor, 5, 'width');
    await connectNumber(editor, 5, 'width');
    await eventually(() => warnings(editor)).toContainEqual(expect.stringContaining('connected'));
  });

  once('a node is marked as the one whose results callers get', async (editor) => {
    await openWorkflow(editor, picture);
    await select(editor, 9);
    await tickBox(editor, 'output:9').check();
    await editor.page.locator('section .cb-link', { hasText: 'SaveImage' }).waitFor();
    expect(await keptMarks(editor, 9)).toMatchObject({ output: true });
    await tickBox(editor, 'output:9').uncheck();
    await editor.page.getByText('Callers get the results of all nodes.').waitFor();
  });

  once('a node without values says so', async (editor) => {
    await openWorkflow(editor, picture);
    await select(editor, 8);
    await editor.page.getByText('This node has no values of its own to set.').waitFor();
  });

  once('what is typed in the tab is no shortcut of the editor', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    await openForm(editor, '6/text');
    await formField(editor, '6/text', 'label').fill('ab');
    await editor.page.keyboard.press('Backspace');
    await editor.page.keyboard.press('Delete');
    await editor.page.keyboard.type('qmrw.');
    await editor.page.keyboard.press('Enter');
    await eventually(() => markNames(editor)).toEqual(['aqmrw.']);
    await bringToView(editor, 6);
  });
}

/** Connects a number node to an input, as a link from it would. */
async function connectNumber(
  { page }: Parameters<typeof select>[0],
  id: number,
  name: string,
): Promise<void> {
  await page.evaluate(
    ([target, input]) => {
      const { app } = comfyAPI.app;
      const graph = app.rootGraph ?? app.graph;
      const number = LiteGraph.createNode('PrimitiveInt');
      graph.add(number);
      const node = graph.getNodeById(target);
      if (node === null) throw new Error('no such node');
      number.connect(
        0,
        node,
        node.inputs.findIndex((slot) => slot.name === input),
      );
    },
    [id, name] as const,
  );
}
