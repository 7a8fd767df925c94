import { expect } from 'vitest';

import { eventually } from './_eventually.ts';
import {
  clickOn,
  execute,
  keptMarks,
  mark,
  markNames,
  marks,
  nodeIds,
  openSaved,
  openWorkflow,
  select,
  tickBox,
  titled,
  warnings,
} from './_author.ts';
import { oddNames, picture } from './_graphs.ts';
import type { Editor } from './_open-editor.ts';
import type { Steps } from './_steps.ts';

/** What the editor does with a workflow that has marks: nothing of them gets lost. */
export function editingSuite({ each, once }: Steps): void {
  each('undo takes a mark away, redo brings it back', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 3, 'seed');
    await mark(editor, 3, 'steps');
    await execute(editor, 'Comfy.Undo');
    await eventually(() => markNames(editor)).toEqual(['seed']);
    await execute(editor, 'Comfy.Undo');
    await eventually(() => marks(editor).count()).toBe(0);
    await execute(editor, 'Comfy.Redo');
    await eventually(() => markNames(editor)).toEqual(['seed']);
    expect(await keptMarks(editor, 3)).toMatchObject({ inputs: [{ name: 'seed' }] });
  });

  once('Ctrl+Z and Ctrl+Y do so too, on the canvas', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 3, 'seed');
    await clickOn(editor, 3);
    await editor.page.keyboard.press('Control+z');
    await eventually(() => marks(editor).count()).toBe(0);
    await editor.page.keyboard.press('Control+y');
    await eventually(() => markNames(editor)).toEqual(['seed']);
  });

  each('a copied and pasted node has its marks, and they are its own', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 3, 'seed');
    await clickOn(editor, 3);
    const before = await nodeIds(editor);
    await editor.page.keyboard.press('Control+c');
    await editor.page.keyboard.press('Control+v');
    await eventually(() => marks(editor).count()).toBe(2);
    const copy = await newNode(editor, before);
    expect(await keptMarks(editor, copy)).toEqual(await keptMarks(editor, 3));
    await select(editor, copy);
    await tickBox(editor, `tick:${copy}:seed`).uncheck();
    await eventually(() => marks(editor).count()).toBe(1);
    expect(await keptMarks(editor, 3)).toMatchObject({ inputs: [{ name: 'seed' }] });
  });

  each('a node duplicated from its menu has its marks', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 3, 'seed');
    const before = await nodeIds(editor);
    await clickOn(editor, 3, 'right');
    await editor.page
      .getByText(/^(Clone|Duplicate)$/)
      .first()
      .click();
    await eventually(() => marks(editor).count()).toBe(2);
    expect(await keptMarks(editor, await newNode(editor, before))).toEqual(await keptMarks(editor, 3));
  });

  once('marks are saved with the workflow and are there when it is opened again', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    await select(editor, 9);
    await tickBox(editor, 'output:9').check();
    const saved = await saveAs(editor, `kept-${editor.options.version}`);
    await openWorkflow(editor, picture);
    await openSaved(editor, saved, 'kept again');
    await eventually(() => markNames(editor)).toEqual(['text']);
    await titled(editor, 'SaveImage').waitFor();
  });

  each('a marked node inside a subgraph is exported under its path', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    const host = await intoSubgraph(editor, 6);
    await eventually(() => exported(editor)).toEqual({ [`${host}:6`]: 'text' });
    await eventually(() => marks(editor).count()).toBe(1);
    await editor.page.locator('.cb-node', { hasText: `#${host}:6` }).waitFor();
  });

  once('a value promoted to the outside of a subgraph is marked there', async (editor) => {
    await openWorkflow(editor, picture);
    const host = await intoSubgraph(editor, 6);
    await promote(editor, host, 'text');
    await mark(editor, host, 'words');
    await eventually(() => exported(editor)).toEqual({ [`${host}:6`]: 'text' });
    expect(await warnings(editor)).toEqual([]);
  });

  once('marks of a node whose class is missing are kept, and the tab goes on working', async (editor) => {
    await openWorkflow(editor, picture);
    await mark(editor, 6, 'text');
    const workflow = await editor.page.evaluate(() => {
      const { app } = comfyAPI.app;
      return JSON.stringify((app.rootGraph ?? app.graph).serialize());
    });
    const broken: unknown = JSON.parse(workflow.replace('"type":"CLIPTextEncode"', '"type":"NotInstalled"'));
    await openSaved(editor, broken, 'missing');
    await eventually(() => marks(editor).count()).toBe(1);
    await editor.page.keyboard.press('Escape');
    await mark(editor, 3, 'seed');
    expect(await keptMarks(editor, 6)).toMatchObject({ inputs: [{ name: 'text' }] });
  });

  const nameless = [/registerWidget: ignoring un-keyable widget/];
  once(
    'odd names of inputs can be marked, or say why not',
    async (editor) => {
      await openWorkflow(editor, oddNames, 'odd');
      await mark(editor, 1, '한글');
      await mark(editor, 1, 'a/b');
      await mark(editor, 1, 'c,d');
      await eventually(() => warnings(editor)).toHaveLength(2);
      const box = tickBox(editor, 'tick:1:');
      if ((await box.count()) > 0) expect(await box.isDisabled()).toBe(true);
      await editor.shoot('odd-names');
      await eventually(() => exported(editor)).toEqual({ '1': expect.stringContaining('한글') });
    },
    { expected: nameless },
  );
}

async function newNode(editor: Editor, before: string[]): Promise<string> {
  const added = (await nodeIds(editor)).filter((id) => !before.includes(id));
  expect(added).toHaveLength(1);
  return added[0] ?? '';
}

/** Saves as an author does, and gives what the editor sent to ComfyUI. */
async function saveAs(editor: Editor, name: string): Promise<unknown> {
  const { page } = editor;
  await clickOn(editor, 9);
  await page.keyboard.press('Control+s');
  const file = page.getByRole('dialog').getByRole('textbox');
  await file.fill(name);
  const sent = page.waitForRequest(
    (request) =>
      request.method() === 'POST' && request.url().includes(encodeURIComponent(`workflows/${name}`)),
  );
  await file.press('Enter');
  const request = await sent;
  await request.response();
  const response = await fetch(request.url(), { headers: { connection: 'close' } });
  return await response.json();
}

/** Puts a node into a subgraph; gives the id of the subgraph's node. */
async function intoSubgraph(editor: Editor, id: number): Promise<string> {
  await select(editor, id);
  const before = await nodeIds(editor);
  await execute(editor, 'Comfy.Graph.ConvertToSubgraph');
  await eventually(async () => (await nodeIds(editor)).some((now) => !before.includes(now))).toBe(true);
  return await newNode(editor, before);
}

/** Connects the subgraph's border with the inner value, which shows it on the outside as `words`. */
async function promote({ page }: Editor, host: string, name: string): Promise<void> {
  await page.evaluate(
    ([id, widget]) => {
      const { app } = comfyAPI.app;
      const node = (app.rootGraph ?? app.graph).nodes.find((candidate) => String(candidate.id) === id);
      const inner = node?.subgraph?.nodes[0];
      const slot = inner?.inputs.find((input) => input.name === widget);
      if (node?.subgraph === undefined || inner === undefined || slot === undefined)
        throw new Error('no such input');
      node.subgraph.addInput('words', 'STRING').connect(slot, inner);
    },
    [host, name] as const,
  );
}

/** The comma lists of marks in what the editor sends and exports by itself, by node. */
async function exported({ page }: Editor): Promise<Record<string, unknown>> {
  return await page.evaluate(async () => {
    const { output } = await comfyAPI.app.app.graphToPrompt();
    const listed = Object.entries(output).map(([id, { _meta }]) => [id, _meta['apiinput']] as const);
    return Object.fromEntries(listed.filter(([, list]) => list !== undefined));
  });
}
