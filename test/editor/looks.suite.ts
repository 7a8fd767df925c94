import { expect } from 'vitest';
import type { Locator } from 'playwright-core';

import { en } from '../../packages/comfy-extension/src/texts/en.ts';
import { ko } from '../../packages/comfy-extension/src/texts/ko.ts';
import { eventually } from './_eventually.ts';
import { dialog, mark, nodeMenu, openForm, openWorkflow, tickBox, select } from './_author.ts';
import { oddNames, picture } from './_graphs.ts';
import type { PageElement } from './_in-page.ts';
import type { Editor } from './_open-editor.ts';
import type { Steps } from './_steps.ts';

/** How it looks: in Korean, on light ground, and with little room. */
export function looksSuite({ each }: Steps): void {
  each('everything that it says is in the language of the editor', async (editor) => {
    await fillTab(editor);
    const { page } = editor;
    await editor.shoot('tab');
    expect(englishIn(await page.locator('.cb-sidebar').innerText())).toEqual([]);
    for (const key of ['publish', 'import']) {
      await page.locator(`[data-focus-key="${key}"]`).click();
      await dialog(editor).waitFor();
      await editor.shoot(`${key}-dialog`);
      expect(englishIn(await dialog(editor).innerText())).toEqual([]);
      await page.keyboard.press('Escape');
      await dialog(editor).waitFor({ state: 'detached' });
    }
    await (await nodeMenu(editor, 3, ko.menuEntry)).click();
    await dialog(editor).waitFor();
    expect(englishIn(await dialog(editor).innerText())).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog(editor).waitFor({ state: 'detached' });
  });

  each('its text stands out from the ground', async (editor) => {
    await fillTab(editor);
    for (const part of [
      'h2',
      '.cb-hint',
      '.cb-mark .cb-name',
      '.cb-button',
      '.cb-primary',
      '.cb-input',
      '.cb-node',
      '.cb-warning',
    ]) {
      const shown = editor.page.locator(`.cb-sidebar ${part}`).first();
      expect(await contrast(shown), part).toBeGreaterThan(least[part] ?? 4.5);
    }
  });

  each(
    'nothing is cut off in a narrow sidebar',
    async (editor) => {
      await fillTab(editor);
      const sidebar = editor.page.locator('.cb-sidebar');
      for (const width of [280, 320, 360, 420, 600]) {
        await sidebar.evaluate((element, px) => {
          element.style.width = `${px}px`;
        }, width);
        expect(await overflow(sidebar), `at ${width} px`).toEqual([]);
        if (width === 280) await editor.shoot('280px');
      }
      await openWorkflow(editor, oddNames, 'odd');
      await mark(editor, 1, 'a/b');
      await sidebar.evaluate((element) => {
        element.style.width = '280px';
      });
      expect(await overflow(sidebar)).toEqual([]);
    },
    { expected: [/registerWidget: ignoring un-keyable widget/] },
  );

  each('nor in a window of 640 px', async (editor) => {
    await fillTab(editor);
    const { page } = editor;
    await page.locator('.cb-sidebar').evaluate((element) => element.style.removeProperty('width'));
    await page.setViewportSize({ width: 640, height: 800 });
    try {
      await eventually(() => page.evaluate(() => innerWidth)).toBe(640);
      expect(await overflow(page.locator('.cb-sidebar'))).toEqual([]);
      await editor.shoot('640px');
      await page.locator('[data-focus-key="publish"]').click();
      await dialog(editor).waitFor();
      expect(await overflow(dialog(editor))).toEqual([]);
      await editor.shoot('640px-publish');
      await page.keyboard.press('Escape');
      await dialog(editor).waitFor({ state: 'detached' });
    } finally {
      await page.setViewportSize({ width: editor.options.width, height: 800 });
    }
  });
}

/** Every part of the tab has something to show: marks, an open form, a warning, results, both sections. */
async function fillTab(editor: Editor): Promise<void> {
  await openWorkflow(editor, picture);
  await mark(editor, 6, 'text');
  await mark(editor, 3, 'seed');
  await openForm(editor, '6/text');
  await select(editor, 9);
  await tickBox(editor, 'output:9').check();
  await editor.page.evaluate(() => {
    const { app } = comfyAPI.app;
    const node = (app.rootGraph ?? app.graph).getNodeById(3);
    if (node !== null) node.mode = 2;
  });
  await editor.page.locator('.cb-warning').first().waitFor();
  for (const section of await editor.page.locator('details.cb-section').all()) {
    if ((await section.getAttribute('open')) === null) await section.locator('summary').click();
  }
}

/** The button has the colours of the editor's own. */
const least: Record<string, number> = { '.cb-primary': 3 };

/** Texts of the English table that the Korean one has another word for. */
function englishIn(shown: string): string[] {
  const table = Object.entries(en).filter(([key]) => Reflect.get(ko, key) !== Reflect.get(en, key));
  const texts = table.flatMap(([, text]) => (typeof text === 'string' && text.length > 4 ? [text] : []));
  return texts.filter((text) => shown.includes(text));
}

/** What is wider than its room; what scrolls by itself is left out. */
async function overflow(root: Locator): Promise<string[]> {
  return await root.evaluate((element) => {
    const all: PageElement[] = [element, ...element.querySelectorAll('*')];
    const wide = all.filter((part) => {
      const { overflowX, display } = getComputedStyle(part);
      const isScroller = part !== element && (overflowX === 'auto' || overflowX === 'scroll');
      const isText = part.tagName === 'INPUT' || part.tagName === 'SELECT';
      return !isScroller && !isText && display !== 'inline' && part.scrollWidth > part.clientWidth + 1;
    });
    return wide.map((part) => `${part.tagName}.${part.className} ${part.scrollWidth} > ${part.clientWidth}`);
  });
}

/** The contrast of WCAG between a text and what is behind it. */
async function contrast(text: Locator): Promise<number> {
  return await text.evaluate((element) => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    if (canvas === null) throw new Error('no canvas');
    const paint = (colours: string[]): number[] => {
      for (const colour of colours) {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      }
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const grounds: string[] = [];
    for (let at: PageElement | null = element; at !== null; at = at.parentElement)
      grounds.unshift(getComputedStyle(at).backgroundColor);
    const luminance = (rgb: number[]): number => {
      const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const one = luminance(paint(['#fff', ...grounds]));
    const other = luminance(paint(['#fff', ...grounds, getComputedStyle(element).color]));
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  });
}
