import { readFile } from 'node:fs/promises';

import type { Locator, Page } from 'playwright-core';

import { eventually } from './_eventually.ts';
import { picture } from './_graphs.ts';
import { tabButton } from './_open-editor.ts';
import type { Editor } from './_open-editor.ts';

/** Workflows in the editor's own format, as each page has laid them out. */
const laidOut = new WeakMap<Page, Map<object, unknown>>();

/** Opens a workflow under a name, laid out, with nothing marked or selected. */
export async function openWorkflow({ page }: Editor, graph: object, name = 'picture'): Promise<void> {
  const known = laidOut.get(page) ?? new Map<object, unknown>();
  laidOut.set(page, known);
  if (!known.has(graph)) known.set(graph, await layOut(page, graph));
  await openSaved({ page }, known.get(graph), name);
  if ((await page.locator('.cb-sidebar').count()) === 0) await page.locator(tabButton).click();
  await eventually(() => marks({ page }).count()).toBe(0);
  await page.locator('.cb-sidebar', { hasText: /Nothing is marked yet|아직 표시한/ }).waitFor();
}

/** Turns API format into the editor's own. */
async function layOut(page: Page, graph: object): Promise<unknown> {
  return await page.evaluate(async (given) => {
    const { app } = comfyAPI.app;
    await app.loadApiJson(given, 'laid out');
    const made = app.rootGraph ?? app.graph;
    made.arrange();
    return made.serialize();
  }, graph);
}

/** Opens what the editor saved. */
export async function openSaved(
  { page }: Pick<Editor, 'page'>,
  workflow: unknown,
  name: string,
): Promise<void> {
  await page.evaluate(
    async ([given, title]) => {
      await comfyAPI.app.app.loadGraphData(given, true, false, `${title}.json`);
    },
    [workflow, name] as const,
  );
}

/** Each click on a title is beside the one before: twice at one place would be a double click, which edits the title. */
let aside = 0;

/** Where the title of a node is on the screen, after the canvas was moved to it. */
export async function bringToView(
  { page }: Pick<Editor, 'page'>,
  id: number | string,
): Promise<{ x: number; y: number }> {
  aside = 35 - aside;
  const place = await page.evaluate(async (wanted) => {
    const { app } = comfyAPI.app;
    const { canvas } = app;
    const node = canvas.graph.nodes.find((candidate) => String(candidate.id) === String(wanted));
    if (node === undefined) throw new Error(`no node ${wanted}`);
    canvas.ds.scale = 1;
    canvas.centerOnNode(node);
    // The classic renderer finds nodes where it drew them last.
    canvas.draw(true, true);
    const frame = () => new Promise<void>((resolve) => requestAnimationFrame(() => resolve()));
    await frame();
    await frame();
    const { left, top } = canvas.canvas.getBoundingClientRect();
    const { scale, offset } = canvas.ds;
    return {
      x: left + (node.pos[0] + 50 + offset[0]) * scale,
      y: top + (node.pos[1] - 14 + offset[1]) * scale,
    };
  }, id);
  return { x: place.x + aside, y: place.y };
}

/** Clicks on the title of a node. */
export async function select(editor: Editor, id: number | string): Promise<void> {
  const { x, y } = await bringToView(editor, id);
  await editor.page.mouse.click(x, y);
  await eventually(() => selectedIds(editor)).toEqual([String(id)]);
}

export async function selectedIds({ page }: Pick<Editor, 'page'>): Promise<string[]> {
  return await page.evaluate(() => [...comfyAPI.app.app.canvas.selectedItems].map(({ id }) => String(id)));
}

/** The tick box of an input of the selected node, or of a node's results. */
export function tickBox({ page }: Editor, key: string): Locator {
  return page.locator(`.cb-sidebar input[data-focus-key="${key}"]`);
}

/** Selects the node and ticks the input; waits until the list shows it. */
export async function mark(editor: Editor, id: number | string, name: string): Promise<void> {
  await select(editor, id);
  const before = await marks(editor).count();
  await tickBox(editor, `tick:${id}:${name}`).check();
  await eventually(() => marks(editor).count()).toBe(before + 1);
}

export function marks({ page }: Pick<Editor, 'page'>): Locator {
  return page.locator('.cb-sidebar .cb-mark');
}

/** Labels (or names) of all marks, in their order. */
export async function markNames({ page }: Editor): Promise<string[]> {
  const names = page.locator('.cb-sidebar .cb-mark .cb-name');
  return await names.evaluateAll((all) =>
    all.map((element) => String(element.firstChild?.textContent ?? '')),
  );
}

/** The marks as they are kept in a node of the open workflow. */
export async function keptMarks({ page }: Editor, id: number | string): Promise<unknown> {
  return await page.evaluate((wanted) => {
    const { app } = comfyAPI.app;
    const node = (app.rootGraph ?? app.graph).nodes.find(({ id }) => String(id) === String(wanted));
    return node?.properties['apiInputs'];
  }, id);
}

/** A field in the open form of a mark. */
export function formField({ page }: Editor, key: string, name: string): Locator {
  return page.locator(`[data-focus-key="form:${key}:${name}"]`);
}

export async function openForm({ page }: Editor, key: string): Promise<void> {
  const edit = page.locator(`[data-focus-key="edit:${key}"]`);
  // A form that was open in another workflow is open in this one too.
  if ((await edit.getAttribute('aria-expanded')) !== 'true') await edit.click();
  await page.locator(`[data-focus-key="form:${key}:label"]`).waitFor();
}

export async function execute({ page }: Editor, command: string): Promise<void> {
  await page.evaluate(async (id) => {
    await comfyAPI.app.app.extensionManager.command.execute(id);
  }, command);
}

export function dialog({ page }: Editor): Locator {
  return page.locator('dialog.cb-dialog');
}

/** Which of our elements the keyboard is on. */
export async function focusKey({ page }: Editor): Promise<string | null> {
  return await page.locator('*:focus').last().getAttribute('data-focus-key');
}

/** The warnings below the marks. */
export async function warnings({ page }: Editor): Promise<string[]> {
  return await page.locator('.cb-sidebar .cb-warning').allInnerTexts();
}

/** Clicks on the title of a node, with whatever button. */
export async function clickOn(
  editor: Editor,
  id: number | string,
  button: 'left' | 'right' = 'left',
): Promise<void> {
  const { x, y } = await bringToView(editor, id);
  await editor.page.mouse.click(x, y, { button });
}

export async function nodeIds({ page }: Editor): Promise<string[]> {
  return await page.evaluate(() => {
    const { app } = comfyAPI.app;
    return (app.rootGraph ?? app.graph).nodes.map(({ id }) => String(id));
  });
}

/** What leads to a node with that title, in the lists of marks and results. */
export function titled({ page }: Editor, title: string): Locator {
  return page.locator('.cb-sidebar .cb-link', { hasText: title });
}

/** Opens the menu of a node and gives one of its entries. Newer editors put those of extensions into a menu of their own. */
export async function nodeMenu(editor: Editor, id: number | string, text: string): Promise<Locator> {
  await clickOn(editor, id, 'right');
  const { page } = editor;
  const entry = page.getByText(text, { exact: true }).first();
  const extensions = page.getByText(/^(Extensions|확장|확장 프로그램)$/).first();
  await entry.or(extensions).first().waitFor();
  if (!(await entry.isVisible())) await extensions.hover();
  await entry.waitFor();
  return entry;
}

/** What the page downloads when that is done: its name and its text. */
export async function download(
  { page }: Editor,
  act: () => Promise<void>,
): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

/** The picture workflow with two labelled inputs and its result marked, as if it had been saved so. */
export async function openMarked(editor: Editor): Promise<void> {
  await openWorkflow(editor, picture);
  await editor.page.evaluate((all) => {
    const { app } = comfyAPI.app;
    for (const [id, kept] of all) {
      const node = (app.rootGraph ?? app.graph).getNodeById(id);
      if (node !== null) node.properties['apiInputs'] = kept;
    }
  }, pictureMarks);
  await eventually(() => markNames(editor)).toEqual(['Prompt', 'Quality']);
}

const pictureMarks: [number, object][] = [
  [6, { v: 1, inputs: [{ name: 'text', label: 'Prompt', required: true, order: 0 }] }],
  [3, { v: 1, inputs: [{ name: 'steps', label: 'Quality', min: 1, max: 30, order: 1 }] }],
  [9, { v: 1, inputs: [], output: true }],
];
