import { describe, expect, test } from 'vitest';

import { carryMarks } from '../src/editor/carry-marks.ts';
import { toMarkedPrompt } from '../src/editor/export-api.ts';
import { createSession } from '../src/editor/session.ts';
import { settingIds } from '../src/editor/settings.ts';
import { fakeEditor, textNode } from './_editor.ts';

const marks = { v: 1, inputs: [{ name: 'text', label: 'Prompt' }] };

describe('the marked export', () => {
  test('carries the marks in both forms', async () => {
    const { app, api } = fakeEditor([textNode(marks)]);
    const { output } = await toMarkedPrompt(createSession(app, api));
    expect(output['6']?._meta).toMatchObject({
      title: 'a node',
      apiinput: 'text',
      bridge: { v: 1, inputs: marks.inputs },
    });
  });
});

describe("the editor's own export", () => {
  test('carries the marks', async () => {
    const { app, api } = fakeEditor([textNode(marks)]);
    carryMarks(createSession(app, api));
    expect((await app.graphToPrompt()).output['6']?._meta).toHaveProperty('apiinput', 'text');
  });

  test('does not when the author turned that off', async () => {
    const { app, api, settings } = fakeEditor([textNode(marks)]);
    settings.set(settingIds.exportWithMarks, false);
    carryMarks(createSession(app, api));
    expect((await app.graphToPrompt()).output['6']?._meta).toEqual({ title: 'a node' });
  });

  test('is wrapped once only', () => {
    const { app, api } = fakeEditor();
    const session = createSession(app, api);
    carryMarks(session);
    const first = app.graphToPrompt;
    carryMarks(session);
    expect(app.graphToPrompt).toBe(first);
  });

  test('is as it was when the marks cannot be collected', async () => {
    const node = textNode(marks);
    const { app, api } = fakeEditor([node]);
    carryMarks(createSession(app, api));
    Object.defineProperty(node, 'properties', {
      get() {
        throw new Error('broken by another extension');
      },
    });
    expect((await app.graphToPrompt()).output['6']?._meta).toEqual({ title: 'a node' });
  });

  test('keeps the arguments and `this` of its caller', async () => {
    const seen: unknown[] = [];
    const { app, api } = fakeEditor([], {
      async graphToPrompt(...args) {
        seen.push(this, ...args);
        return { workflow: {}, output: {} };
      },
    });
    carryMarks(createSession(app, api));
    const part = { nodes: [] };
    await app.graphToPrompt(part);
    expect(seen).toEqual([app, part]);
  });

  test('fails as the editor fails', async () => {
    const { app, api } = fakeEditor([], { graphToPrompt: () => Promise.reject(new Error('no such widget')) });
    carryMarks(createSession(app, api));
    await expect(app.graphToPrompt()).rejects.toThrow('no such widget');
  });
});
