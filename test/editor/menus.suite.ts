import { expect } from 'vitest';

import { eventually } from './_eventually.ts';
import {
  clickOn,
  dialog,
  execute,
  keptMarks,
  mark,
  markNames,
  marks,
  nodeMenu,
  openWorkflow,
  select,
} from './_author.ts';
import { picture } from './_graphs.ts';
import { tabButton } from './_open-editor.ts';
import type { Steps } from './_steps.ts';

/** The other ways to the same marks: menus, the toolbox, the old panel. */
export function menusSuite({ each, once }: Steps): void {
  each('"API inputs…" in the menu of a node opens its tick boxes, and Escape closes them', async (editor) => {
    await openWorkflow(editor, picture);
    const entry = await nodeMenu(editor, 3, 'API inputs…');
    await editor.shoot('menu');
    await entry.click();
    await dialog(editor).locator('[data-focus-key="tick:3:steps"]').check();
    await eventually(() => markNames(editor)).toEqual(['steps']);
    await editor.shoot('dialog');
    await editor.page.keyboard.press('Escape');
    await dialog(editor).waitFor({ state: 'detached' });
    expect(await keptMarks(editor, 3)).toMatchObject({ inputs: [{ name: 'steps' }] });
  });

  each('a button in the toolbox of the selected node opens them too', async (editor) => {
    await openWorkflow(editor, picture);
    await select(editor, 3);
    await editor.page.locator('.selection-toolbox button:has(.pi-sliders-h)').click();
    await dialog(editor).locator('[data-focus-key="tick:3:steps"]').waitFor();
    await editor.page.keyboard.press('Escape');
    await dialog(editor).waitFor({ state: 'detached' });
  });

  once(
    'the row "API input" of the old Properties Panel takes names, with commas between them',
    async (editor) => {
      await openWorkflow(editor, picture);
      await mark(editor, 3, 'seed');
      const { page } = editor;
      const hasPanel = await page.evaluate(() => {
        const { app } = comfyAPI.app;
        const node = (app.rootGraph ?? app.graph).getNodeById(3);
        if (node === null || app.canvas.showShowNodePanel === undefined) return false;
        app.canvas.showShowNodePanel(node);
        return true;
      });
      if (!hasPanel) return;
      // Both are at the left; the sidebar lies above.
      await execute(editor, 'ComfyBridge.ShowInputs');
      await page.locator('.cb-sidebar').waitFor({ state: 'detached' });
      const row = page.locator('#node-panel .property', { hasText: 'API input' });
      const value = row.locator('.property_value');
      await eventually(() => value.innerText()).toBe('seed');
      await editor.shoot('properties-panel');
      await value.click();
      await value.fill('steps, cfg');
      await page.keyboard.press('Enter');
      await eventually(() => keptMarks(editor, 3)).toMatchObject({
        inputs: [{ name: 'steps' }, { name: 'cfg' }],
      });
      // In the oldest editor the bar above covers it.
      await page.locator('#node-panel .close').dispatchEvent('click');
      await page.locator('#node-panel').waitFor({ state: 'detached' });
      await execute(editor, 'ComfyBridge.ShowInputs');
      await eventually(() => marks(editor).count()).toBe(2);
    },
  );

  once('its commands are in the File menu, and one shows and hides the tab', async (editor) => {
    await openWorkflow(editor, picture);
    const { page } = editor;
    await page.locator('.comfy-menu-button-wrapper, .comfyui-logo').first().click();
    await page.getByText('File', { exact: true }).first().hover();
    await page.getByText('Export (API, with inputs)').first().waitFor();
    await editor.shoot('file-menu');
    await page.getByText('Import marks…').first().click();
    await dialog(editor).waitFor();
    await page.keyboard.press('Escape');
    await dialog(editor).waitFor({ state: 'detached' });
    await execute(editor, 'ComfyBridge.ShowInputs');
    await page.locator('.cb-sidebar').waitFor({ state: 'detached' });
    await execute(editor, 'ComfyBridge.ShowInputs');
    await page.locator('.cb-sidebar').waitFor();
    await page.locator(tabButton).click();
    await page.locator('.cb-sidebar').waitFor({ state: 'detached' });
    await page.locator(tabButton).click();
    await page.locator('.cb-sidebar').waitFor();
    await clickOn(editor, 3);
  });
}
