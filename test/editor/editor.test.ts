/**
 * The extension in ComfyUI's own editor, in headless Chromium, used as an author does: three versions of the editor, both
 * renderers of nodes. Where Chromium or the editors are missing, the tests are skipped and say how to get them.
 *
 * `CHROMIUM` names a browser elsewhere than usual, `EDITORS` a folder with one unpacked comfyui-frontend-package per version
 * (default `.cache/editors`), `SCREENSHOTS` a folder for a picture of each step. Another version: a line in `editors.txt`.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';

import { editingSuite } from './editing.suite.ts';
import { exchangeSuite } from './exchange.suite.ts';
import { looksSuite } from './looks.suite.ts';
import { markingSuite } from './marking.suite.ts';
import { menusSuite } from './menus.suite.ts';
import { publishingSuite } from './publishing.suite.ts';
import { runningSuite } from './running.suite.ts';
import { missing, versions } from './_needs.ts';
import { openEditor } from './_open-editor.ts';
import type { Editor, Renderer } from './_open-editor.ts';
import { stepsIn } from './_steps.ts';
import { openWorkshop, startWorld } from './_world.ts';
import type { Workshop } from './_world.ts';

/** Everything in one renderer for each version; what depends on the renderer in the other one too. 1.27 has only one. */
const table: { version: string; renderer: Renderer; full: boolean }[] = [
  { version: '1.27.10', renderer: 'classic', full: true },
  { version: '1.45.21', renderer: 'classic', full: true },
  { version: '1.45.21', renderer: 'vue', full: false },
  { version: '1.58.1', renderer: 'vue', full: true },
  { version: '1.58.1', renderer: 'classic', full: false },
];

let workshop: Workshop;

if (missing !== undefined) {
  process.stderr.write(`The editor extension is not tested in an editor: ${missing}.\n`);
  test.skip(`the extension in ComfyUI's editor (${missing})`);
}

describe.runIf(missing === undefined)("the extension in ComfyUI's editor", () => {
  beforeAll(async () => {
    workshop = await openWorkshop();
  }, 60_000);
  afterAll(async () => {
    await workshop[Symbol.asyncDispose]();
  });

  describe.each(table)('$version, $renderer renderer', ({ version, renderer, full }) => {
    const parts = new AsyncDisposableStack();
    let editor: Editor;
    beforeAll(async () => {
      const world = parts.use(await startWorld(workshop, version));
      editor = parts.use(await openEditor(workshop, world, { version, renderer }));
    }, 90_000);
    afterAll(() => parts.disposeAsync());

    const steps = stepsIn(() => editor, { full });
    markingSuite(steps);
    editingSuite(steps);
    menusSuite(steps);
    exchangeSuite(steps);
    runningSuite(steps);
    publishingSuite(steps);
  });

  describe.each(versions)('%s, in Korean, on light ground', (version) => {
    const parts = new AsyncDisposableStack();
    let editor: Editor;
    beforeAll(async () => {
      const world = parts.use(await startWorld(workshop, version));
      const options = { version, renderer: 'classic', locale: 'ko', theme: 'light' } as const;
      editor = parts.use(await openEditor(workshop, world, options));
    }, 90_000);
    afterAll(() => parts.disposeAsync());

    looksSuite(stepsIn(() => editor, { full: true }));
  });
});
