import { expect } from 'vitest';
import type { Locator } from 'playwright-core';

import { eventually } from './_eventually.ts';
import { execute, marks, openMarked, openWorkflow } from './_author.ts';
import { picture } from './_graphs.ts';
import type { Editor } from './_open-editor.ts';
import { forgetResults, lastSaved, pixelsOf } from './_results.ts';
import type { Steps } from './_steps.ts';

/** "Try it" and "For callers". */
export function runningSuite({ each, once }: Steps): void {
  each('"Try it" makes the very picture that the editor makes with the same values', async (editor) => {
    await openMarked(editor);
    const form = await openSection(editor, 'Try it');
    await form.locator('[data-focus-key="try:6/text"]').fill('a windmill');
    await form.locator('[data-focus-key="try:3/steps"]').fill('4');
    await form.locator('[data-focus-key="try:3/steps"]').press('Tab');
    await forgetResults(editor);
    const before = editor.world.sim.files('output').length;
    await form.getByRole('button', { name: 'Run with these values' }).click();
    const shown = form.locator('.cb-pictures img');
    await shown.waitFor();
    await eventually(() => shown.evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBe(96);
    await editor.shoot('try');
    expect(editor.world.sim.files('output')).toHaveLength(before + 1);
    const tried = await pixelsOf(lastSaved(editor));
    expect(await widgetValues(editor)).toEqual({ text: 'a lighthouse', steps: 2 });

    await forgetResults(editor);
    await setWidgets(editor, { text: 'a windmill', steps: 4 });
    await execute(editor, 'Comfy.QueuePrompt');
    await eventually(() => editor.world.sim.files('output').length).toBe(before + 2);
    expect(await pixelsOf(lastSaved(editor))).toEqual(tried);

    await setWidgets(editor, { text: 'a lighthouse', steps: 2 });
    await execute(editor, 'Comfy.QueuePrompt');
    await eventually(() => editor.world.sim.files('output').length).toBe(before + 3);
    expect(await pixelsOf(lastSaved(editor))).not.toEqual(tried);
  });

  const refused = { expected: [/status of 400/, /prompt_outputs_failed_validation|Prompt outputs failed/] };
  once(
    'a value that ComfyUI refuses is told there',
    async (editor) => {
      await openMarked(editor);
      const form = await openSection(editor, 'Try it');
      await form.locator('[data-focus-key="try:3/steps"]').fill('0');
      await form.locator('[data-focus-key="try:3/steps"]').press('Tab');
      await form.getByRole('button', { name: 'Run with these values' }).click();
      await form.getByText('ComfyUI refused it:').waitFor();
    },
    refused,
  );

  once(
    '"For callers" shows the inputs as callers see them, with the values that were tried',
    async (editor) => {
      await openMarked(editor);
      const form = await openSection(editor, 'Try it');
      await form.locator('[data-focus-key="try:6/text"]').fill('two boats');
      const callers = await openSection(editor, 'For callers');
      await eventually(() => callers.locator('.cb-code').first().innerText()).toContain(
        '"prompt":"two boats"',
      );
      await eventually(() => callers.locator('.cb-code').nth(1).innerText()).toContain('Quality');
      await editor.shoot('for-callers');
      await openWorkflow(editor, picture);
      expect(await marks(editor).count()).toBe(0);
    },
  );
}

/** Opens one of the sections below the list. */
export async function openSection({ page }: Editor, title: string): Promise<Locator> {
  const section = page.locator('details.cb-section', { has: page.locator('summary', { hasText: title }) });
  if ((await section.getAttribute('open')) === null) await section.locator('summary').click();
  return section;
}

async function widgetValues({ page }: Editor): Promise<{ text: unknown; steps: unknown }> {
  return await page.evaluate(() => {
    const { app } = comfyAPI.app;
    const value = (id: number, name: string) =>
      (app.rootGraph ?? app.graph).getNodeById(id)?.widgets?.find((widget) => widget.name === name)?.value;
    return { text: value(6, 'text'), steps: value(3, 'steps') };
  });
}

/** The seed too, which the editor changes after each run. */
async function setWidgets({ page }: Editor, values: { text: string; steps: number }): Promise<void> {
  await page.evaluate(({ text, steps }) => {
    const { app } = comfyAPI.app;
    const set = (id: number, name: string, value: unknown) => {
      const node = (app.rootGraph ?? app.graph).getNodeById(id);
      const widget = node?.widgets?.find((candidate) => candidate.name === name);
      if (widget !== undefined) widget.value = value;
    };
    set(6, 'text', text);
    set(3, 'steps', steps);
    set(3, 'seed', 7);
  }, values);
}
