import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { ComfyApi, ComfyApp, EditorNode, ExecutedDetail, Toast } from '../src/editor/comfy-types.ts';

interface FakeEditor {
  app: ComfyApp;
  api: ComfyApi;
  settings: Map<string, unknown>;
  toasts: Toast[];
  steps: string[];
  emit(detail: ExecutedDetail): void;
}

/** An editor without a page: a graph of plain nodes, settings, toasts, and the API format made of the widgets. */
export function fakeEditor(nodes: EditorNode[] = [], more: Partial<ComfyApp> = {}): FakeEditor {
  const settings = new Map<string, unknown>();
  const toasts: Toast[] = [];
  const steps: string[] = [];
  const listeners = new Set<(event: CustomEvent<ExecutedDetail>) => void>();
  const rootGraph = { id: 'root', nodes };
  const app: ComfyApp = {
    registerExtension: () => undefined,
    canvas: { selectedItems: new Set<object>() },
    rootGraph,
    extensionManager: {
      registerSidebarTab: () => undefined,
      toast: { add: (toast) => toasts.push(toast) },
      setting: { get: (id) => settings.get(id), set: (id, value) => settings.set(id, value) },
      workflow: {
        activeWorkflow: {
          filename: 'picture',
          changeTracker: { checkState: () => steps.push('checkState') },
        },
      },
    },
    async graphToPrompt() {
      const output: ApiPrompt = {};
      for (const { id, comfyClass, widgets } of nodes) {
        output[String(id)] = {
          class_type: comfyClass ?? 'Node',
          inputs: Object.fromEntries((widgets ?? []).map(({ name, value }) => [name, value])),
          _meta: { title: 'a node' },
        };
      }
      return { workflow: {}, output };
    },
    ...more,
  };
  const api: ComfyApi = {
    addEventListener: (_type, listener) => listeners.add(listener),
    removeEventListener: (_type, listener) => listeners.delete(listener),
    apiURL: (route) => `/api${route}`,
    fetchApi: async () => new Response(),
    queuePrompt: async () => ({ prompt_id: 'p' }),
  };
  return {
    app,
    api,
    settings,
    toasts,
    steps,
    emit(detail) {
      for (const listener of listeners) listener(new CustomEvent('executed', { detail }));
    },
  };
}

export function textNode(marks?: unknown): EditorNode {
  return {
    id: 6,
    title: 'Prompt',
    type: 'CLIPTextEncode',
    comfyClass: 'CLIPTextEncode',
    mode: 0,
    inputs: [],
    widgets: [{ name: 'text', type: 'customtext', value: 'a cat' }],
    properties: marks === undefined ? {} : { apiInputs: marks },
  };
}
