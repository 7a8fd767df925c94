import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'vitest';

import { parseWorkflow } from '../../packages/bridge/src/workflows/catalog/parse-workflow.ts';
import { apiPromptSchema, bridgeMetaSchema } from '../../packages/protocol/src/index.ts';
import { eventually } from './_eventually.ts';
import {
  dialog,
  download,
  execute,
  keptMarks,
  markNames,
  marks,
  openMarked,
  openSaved,
  openWorkflow,
} from './_author.ts';
import { picture } from './_graphs.ts';
import type { Editor } from './_open-editor.ts';
import { pixelsOf, runByCall } from './_results.ts';
import type { Steps } from './_steps.ts';

/** What goes out as a file and comes in from one. */
export function exchangeSuite({ once }: Steps): void {
  once('the exported file says to the bridge what the author marked', async (editor) => {
    await openMarked(editor);
    const { name, text } = await download(editor, () =>
      editor.page.locator('[data-focus-key="export"]').click(),
    );
    expect(name).toMatch(/^picture.*_api\.json$/);
    await editor.page.getByText('Exported with 2 API inputs.').first().waitFor();
    const nodes = apiPromptSchema.parse(JSON.parse(text));
    expect(bridgeMetaSchema.parse(nodes['9']?._meta)).toMatchObject({ bridge: { output: true } });
    expect(nodes['6']?._meta).toMatchObject({ title: 'Positive', apiinput: 'text' });
    const read = parseWorkflow({ fileName: 'picture.json', text });
    expect(read).toMatchObject({ ok: true, workflow: { outputNodes: ['9'], problems: [] } });
    if (!read.ok) return;
    const inputs = read.workflow.inputs.map(({ key, mark: { label, min, max, required } }) => [
      key,
      label,
      min,
      max,
      required,
    ]);
    expect(inputs).toEqual([
      ['6/text', 'Prompt', undefined, undefined, true],
      ['3/steps', 'Quality', 1, 30, undefined],
    ]);
  });

  once("the editor's own Export (API) carries the same marks, unless it was told not to", async (editor) => {
    await openMarked(editor);
    const ours = await download(editor, () => editor.page.locator('[data-focus-key="export"]').click());
    const theirs = await download(editor, () => execute(editor, 'Comfy.ExportWorkflowAPI'));
    expect(JSON.parse(theirs.text)).toEqual(JSON.parse(ours.text));
    await carry(editor, false);
    const plain = await download(editor, () => execute(editor, 'Comfy.ExportWorkflowAPI'));
    await carry(editor, true);
    expect(plain.text).not.toContain('apiinput');
  });

  once('an exported file that is put into the folder of the bridge can be run by callers', async (editor) => {
    await openMarked(editor);
    const { text } = await download(editor, () => editor.page.locator('[data-focus-key="export"]').click());
    const { bridge, workflowDir } = editor.world;

    await writeFile(join(workflowDir, 'by-hand.json'), text);
    await eventually(async () => await (await bridge.get('/api/bridge/workflows')).text()).toContain(
      'by-hand',
    );
    const made = await runByCall(editor, 'by-hand', { prompt: 'a bridge', quality: 3 });
    expect(await pixelsOf(made)).toMatchObject({ width: 96, height: 64 });
  });

  once('marks are taken over from an exported file, and what cannot be is told', async (editor) => {
    await openMarked(editor);
    const { text } = await download(editor, () => editor.page.locator('[data-focus-key="export"]').click());
    await openWorkflow(editor, picture);
    await editor.page.locator('[data-focus-key="import"]').click();
    const said = dialog(editor).getByRole('status');
    const file = dialog(editor).locator('input[type=file]');
    const folder = await mkdtemp(join(tmpdir(), 'editor-import-'));
    try {
      const path = join(folder, 'marked.json');
      await writeFile(path, text);
      await file.setInputFiles(path);
      await said.getByText('3 marks were taken over.').waitFor();
      await editor.shoot('import');
      const nonsense = join(folder, 'nonsense.json');
      await writeFile(nonsense, '{');
      await file.setInputFiles(nonsense);
      await said.getByText('This is not an API file of ComfyUI.').waitFor();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await editor.page.keyboard.press('Escape');
    await dialog(editor).waitFor({ state: 'detached' });
    await eventually(() => markNames(editor)).toEqual(['Prompt', 'Quality']);
    expect(await keptMarks(editor, 6)).toMatchObject({
      inputs: [{ name: 'text', label: 'Prompt', required: true }],
    });
    expect(await keptMarks(editor, 9)).toMatchObject({ output: true });
  });

  once("what the author chose for the editor's App mode is taken over", async (editor) => {
    await openWorkflow(editor, picture);
    const workflow = await editor.page.evaluate((newest) => {
      const { app } = comfyAPI.app;
      const graph = app.rootGraph ?? app.graph;
      // 1.58 names a value by its workflow, its node and itself; editors before by the node.
      const id = newest ? `${graph.id}:6:text` : 6;
      return JSON.stringify({
        ...graph.serialize(),
        extra: {
          linearData: {
            inputs: [
              [id, 'text'],
              [3, 'steps'],
            ],
            outputs: [9],
          },
        },
      });
    }, editor.options.version === '1.58.1');
    await openSaved(editor, JSON.parse(workflow), 'app');
    await editor.page.locator('[data-focus-key="import"]').click();
    await dialog(editor).getByRole('button', { name: 'Take the inputs of App mode' }).click();
    await dialog(editor).getByText('3 marks were taken over.').waitFor();
    await editor.page.keyboard.press('Escape');
    await eventually(() => marks(editor).count()).toBe(2);
    expect(await keptMarks(editor, 9)).toMatchObject({ output: true });
  });
}

async function carry({ page }: Editor, on: boolean): Promise<void> {
  await page.evaluate(async (value) => {
    await comfyAPI.app.app.extensionManager.setting.set('ComfyBridge.ExportWithMarks', value);
  }, on);
}
