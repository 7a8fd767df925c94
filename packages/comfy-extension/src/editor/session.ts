import type { Texts } from '../texts/en.ts';
import { textsFor } from '../texts/texts-for.ts';
import { afterPaint } from './after-paint.ts';
import type { ChangeTracker, ComfyApi, ComfyApp, EditorGraph, EditorNode, Toast } from './comfy-types.ts';

/** What every part of the extension works with. */
export interface Session {
  app: ComfyApp;
  api: ComfyApi;
  texts(): Texts;
  rootGraph(): EditorGraph | undefined;
  /** The selected nodes; groups and reroutes are left out. */
  selectedNodes(): EditorNode[];
  /** Another object for another open workflow. */
  workflow(): unknown;
  /** The name of the open workflow without folder and ending. */
  workflowName(): string;
  /** To be called after marks were changed: draws them, and makes the change one step of undo. */
  changed(): void;
  /** Draws what shows marks anew, as when a form is opened. */
  redraw(): void;
  /** Called after every change of marks that this extension made, and where it wants to be drawn. Gives the way to stop that. */
  onChange(listener: () => void): () => void;
  say(severity: Toast['severity'], summary: string, detail?: string): void;
}

export function createSession(app: ComfyApp, api: ComfyApi): Session {
  const listeners = new Set<() => void>();
  const redraw = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    app,
    api,
    texts: () => textsFor(readSetting(app, 'Comfy.Locale') ?? navigator.language),
    rootGraph: () => app.rootGraph ?? app.graph,
    selectedNodes: () => [...(app.canvas.selectedItems ?? [])].filter(isNode).filter(isThere),
    workflow: () => app.extensionManager.workflow?.activeWorkflow,
    workflowName: () => app.extensionManager.workflow?.activeWorkflow?.filename ?? 'workflow',
    changed() {
      redraw();
      const openTracker = (): ChangeTracker | null | undefined =>
        app.extensionManager.workflow?.activeWorkflow?.changeTracker;
      const tracker = openTracker();
      // The editor draws all nodes for a badge, and reads the whole workflow for a step of undo: longer than all else.
      afterPaint(() => {
        app.canvas.setDirty?.(true);
        if (tracker !== openTracker()) return;
        if (tracker?.captureCanvasState === undefined) tracker?.checkState?.();
        else tracker.captureCanvasState();
      });
    },
    redraw,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    say(severity, summary, detail) {
      const life = severity === 'success' || severity === 'info' ? 5_000 : 12_000;
      app.extensionManager.toast?.add({ severity, summary, life, ...(detail !== undefined && { detail }) });
    },
  };
}

/** A setting's value; undefined when the editor does not know it. */
export function readSetting(app: ComfyApp, id: string): unknown {
  try {
    return app.extensionManager.setting.get(id);
  } catch {
    // Some versions throw for a setting that is not there yet.
    return undefined;
  }
}

function isNode(item: object): item is EditorNode {
  return 'id' in item && 'inputs' in item && Array.isArray(item.inputs);
}

/** An editor may go on naming nodes of a workflow that was open before; their places are taken by others. */
function isThere(node: EditorNode): boolean {
  const { graph } = node;
  return graph?.getNodeById === undefined || graph.getNodeById(node.id) === node;
}
