import { afterEach, describe, expect, test, vi } from 'vitest';

import { addBadge } from '../src/editor/badge.ts';
import type { LegacyPanel } from '../src/editor/comfy-types.ts';
import { watchResults } from '../src/editor/last-results.ts';
import { addLegacyMenuEntry } from '../src/editor/node-menu.ts';
import { addPanelRow } from '../src/editor/properties-panel.ts';
import { createSession } from '../src/editor/session.ts';
import { setValues } from '../src/editor/set-values.ts';
import { en } from '../src/texts/en.ts';
import { ko } from '../src/texts/ko.ts';
import { textsFor } from '../src/texts/texts-for.ts';
import { fakeEditor, textNode } from './_editor.ts';

const marks = { v: 1, inputs: [{ name: 'text', label: 'Prompt' }] };

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a change of marks', () => {
  test('is one step of undo, by whichever way the editor has, after it was drawn', () => {
    vi.useFakeTimers();
    const { app, api, steps } = fakeEditor();
    const session = createSession(app, api);
    session.onChange(() => steps.push('draw'));
    session.changed();
    vi.runAllTimers();
    const tracker = app.extensionManager.workflow?.activeWorkflow?.changeTracker;
    Object.assign(tracker ?? {}, { captureCanvasState: () => steps.push('captureCanvasState') });
    session.changed();
    vi.runAllTimers();
    expect(steps).toEqual(['draw', 'checkState', 'draw', 'captureCanvasState']);
  });

  test('is no step of another workflow that was opened meanwhile', () => {
    vi.useFakeTimers();
    const { app, api, steps } = fakeEditor();
    createSession(app, api).changed();
    const changeTracker = { checkState: () => steps.push('of the other') };
    app.extensionManager.workflow = { activeWorkflow: { filename: 'other', changeTracker } };
    vi.runAllTimers();
    expect(steps).toEqual([]);
  });
});

describe('selected are', () => {
  test('nodes that are there: not those of a workflow that was open before, nor groups', () => {
    const [old, now, loose] = [textNode(), textNode(), textNode()];
    const graph = { getNodeById: (id: number | string) => (id === now.id ? now : null) };
    Object.assign(old, { graph });
    Object.assign(now, { graph });
    const { app, api } = fakeEditor([now]);
    app.canvas.selectedItems = new Set<object>([old, now, loose, { id: 1, title: 'a group' }]);
    expect(createSession(app, api).selectedNodes()).toEqual([now, loose]);
  });
});

describe('the badge', () => {
  test('follows the marks, and is added once', () => {
    vi.stubGlobal(
      'LGraphBadge',
      class {
        text: string;
        constructor({ text }: { text: string }) {
          this.text = text;
        }
      },
    );
    const { app, api } = fakeEditor();
    const session = createSession(app, api);
    const badges: unknown[] = [];
    const node = { ...textNode(), badges };
    addBadge(session, node);
    addBadge(session, node);
    expect(badges).toHaveLength(1);
    const badge = badges[0] as () => { text: string };
    expect(badge().text).toBe('');
    node.properties = { apiInputs: { ...marks, output: true } };
    expect(badge().text).toBe(`${session.texts().badge(1)} · ${session.texts().badgeOutput}`);
  });

  test('is left out by editors without badges', () => {
    const { app, api } = fakeEditor();
    const node = textNode();
    addBadge(createSession(app, api), node);
    expect(node.badges).toBeUndefined();
  });
});

describe('the classic Properties Panel', () => {
  test('takes names of inputs, and keeps what is known of those that stay', () => {
    const node = textNode(marks);
    const { app, api } = fakeEditor([node]);
    addPanelRow(createSession(app, api), node);
    let change: (name: string, value: unknown) => void = () => undefined;
    const panel: LegacyPanel = {
      addWidget(_type, _name, value, _options, callback) {
        expect(value).toBe('text');
        change = callback;
        return undefined;
      },
    };
    node.onShowCustomPanelInfo?.(panel);
    change('API input', ' text , seed,');
    expect(node.properties).toEqual({
      apiInputs: {
        v: 1,
        inputs: [
          { ...marks.inputs[0], order: 0 },
          { name: 'seed', order: 1 },
        ],
      },
    });
    expect(node.onAddPropertyToPanel?.('apiInputs', panel)).toBe(true);
    expect(node.onAddPropertyToPanel?.('other', panel)).toBe(false);
  });
});

describe('the node menu', () => {
  test('gets the entry where the editor does not ask extensions', () => {
    const { app, api } = fakeEditor([], { canvas: { getNodeMenuOptions: () => [{ content: 'Remove' }] } });
    addLegacyMenuEntry(createSession(app, api), () => ({ content: 'API' }));
    expect(app.canvas.getNodeMenuOptions?.(textNode())).toEqual([
      { content: 'API' },
      null,
      { content: 'Remove' },
    ]);
  });

  test('is left alone where it does', () => {
    const getNodeMenuOptions = () => [];
    const { app, api } = fakeEditor([], { canvas: { getNodeMenuOptions }, collectNodeMenuItems: () => [] });
    addLegacyMenuEntry(createSession(app, api), () => ({ content: 'API' }));
    expect(app.canvas.getNodeMenuOptions).toBe(getNodeMenuOptions);
  });
});

describe('results', () => {
  test('are the pictures that ComfyUI tells of, newest first', () => {
    const { api, emit } = fakeEditor();
    const results = watchResults(api);
    emit({
      node: '9',
      prompt_id: 'a',
      output: { images: [{ filename: 'a b.png', subfolder: 's', type: 'temp' }, 7] },
    });
    emit({ node: '9', prompt_id: 'b', output: null });
    emit({ node: '9', prompt_id: 'c', output: { images: [{ filename: 'c.png' }] } });
    expect(results.pictures()).toEqual([
      { promptId: 'c', url: '/api/view?filename=c.png&subfolder=&type=output' },
      { promptId: 'a', url: '/api/view?filename=a+b.png&subfolder=s&type=temp' },
    ]);
  });
});

describe('the values of the form', () => {
  test('go into a copy, where they belong', () => {
    const prompt = {
      '1:2': { class_type: 'A', inputs: { text: 'old', other: 1 } },
      '3': { class_type: 'B', inputs: { text: 'old' } },
    };
    const fields = [
      {
        key: '1:2/text',
        nodeId: '1:2',
        inputName: 'text',
        also: [{ nodeId: '3', inputName: 'text' }],
      } as const,
    ];
    const values = new Map<string, unknown>([
      ['1:2/text', 'new'],
      ['1:2/other', 2],
    ]);
    expect(setValues(prompt, fields, values)).toEqual({
      '1:2': { class_type: 'A', inputs: { text: 'new', other: 1 } },
      '3': { class_type: 'B', inputs: { text: 'new' } },
    });
    expect(prompt['1:2'].inputs.text).toBe('old');
  });
});

describe('the texts', () => {
  test('are Korean for Korean, English for everything else', () => {
    expect([textsFor('ko'), textsFor('ko-KR'), textsFor('kok'), textsFor('fr'), textsFor(undefined)]).toEqual(
      [ko, ko, en, en, en],
    );
  });
});
