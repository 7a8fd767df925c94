import { expect, test } from 'vitest';

import type { Editor } from './_open-editor.ts';

interface StepOptions {
  /** What the console says because the test provokes it. */
  expected?: RegExp[];
}

export type Step = (name: string, run: (editor: Editor) => Promise<void>, options?: StepOptions) => void;

export interface Steps {
  /** A test of what depends on the renderer: run with each of them. */
  each: Step;
  /** A test that one renderer is enough for. */
  once: Step;
}

/**
 * Tests in one open editor, one after the other; each begins by opening its own workflow. When one fails, its message names
 * a picture of the editor. The console must be clean at the end of each.
 */
export function stepsIn(open: () => Editor, { full }: { full: boolean }): Steps {
  const each: Step = (name, run, { expected = [] } = {}) => {
    // oxlint-disable-next-line vitest/valid-title -- each suite gives its own
    test(name, { timeout: 40_000 }, async () => {
      const editor = open();
      editor.console.take();
      try {
        await run(editor);
        expect(editor.console.take(expected), 'the console of the browser').toEqual([]);
      } catch (error) {
        const picture = await editor.shootFailure(name).catch(() => 'none could be made');
        if (error instanceof Error) error.message += `\npicture of the editor: ${picture}`;
        // A failed test leaves no dialog in the way of the next.
        for (let times = 0; times < 3; times += 1) await editor.page.keyboard.press('Escape');
        throw error;
      }
    });
  };
  return { each, once: full ? each : () => undefined };
}
