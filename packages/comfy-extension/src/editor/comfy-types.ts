import type { ApiPrompt } from '@comfy-bridge/protocol';
import type { GraphLike, NodeLike } from '../marks/graph-types.ts';

/**
 * What is used of ComfyUI's editor, written down by hand from its documentation for extensions. Everything optional is
 * missing in one of the versions between 1.27 and 1.58, so it is asked for before it is used.
 */
export interface EditorNode extends NodeLike {
  graph?: EditorGraph | null;
  /** Functions that give a badge; drawn by both renderers. */
  badges?: unknown[];
  onShowCustomPanelInfo?: ((panel: LegacyPanel) => void) | undefined;
  onAddPropertyToPanel?: ((name: string, panel: LegacyPanel) => boolean) | undefined;
}

export interface EditorGraph extends GraphLike {
  nodes?: readonly EditorNode[];
}

/** The Properties Panel of the classic renderer. */
export interface LegacyPanel {
  addWidget(
    type: string,
    name: string,
    value: unknown,
    options: Record<string, unknown>,
    callback: (name: string, value: unknown) => void,
  ): unknown;
}

export interface MenuItem {
  content: string;
  callback?: () => void;
}

export interface EditorCanvas {
  graph?: EditorGraph | null;
  selectedItems?: Iterable<object>;
  getNodeMenuOptions?(node: EditorNode): (MenuItem | null)[];
  centerOnNode?(node: EditorNode): void;
  setGraph?(graph: EditorGraph): void;
  deselectAll?(): void;
  select?(node: EditorNode): void;
  setDirty?(foreground: boolean, background?: boolean): void;
}

export interface PromptParts {
  workflow: unknown;
  output: ApiPrompt;
}

export interface Toast {
  severity: 'success' | 'info' | 'warn' | 'error';
  summary: string;
  detail?: string;
  /** Milliseconds; for ever when it is left out. */
  life?: number;
}

export interface SidebarTab {
  id: string;
  icon: string;
  title: string;
  tooltip: string;
  type: 'custom';
  /** Ours: grows with each change of marks. */
  marksRevision?: number;
  render(container: HTMLElement): void;
  destroy(): void;
}

export interface ChangeTracker {
  captureCanvasState?(): void;
  checkState?(): void;
}

export interface ExtensionManager {
  registerSidebarTab(tab: SidebarTab): void;
  getSidebarTabs?(): readonly SidebarTab[];
  toast?: { add(toast: Toast): void };
  setting: { get(id: string): unknown; set(id: string, value: unknown): unknown };
  command?: { execute(id: string): unknown };
  sidebarTab?: { activeSidebarTabId?: string | null };
  workflow?: { activeWorkflow?: { filename?: string; changeTracker?: ChangeTracker | null } | null };
}

export interface Command {
  id: string;
  label: string;
  menubarLabel?: string;
  icon: string;
  function(): void | Promise<void>;
}

export interface Setting {
  id: string;
  name: string;
  category: string[];
  tooltip?: string;
  type:
    | 'boolean'
    | 'text'
    | ((name: string, setter: (value: unknown) => void, value: unknown) => HTMLElement);
  defaultValue: unknown;
}

export interface ComfyExtension {
  name: string;
  commands?: Command[];
  menuCommands?: { path: string[]; commands: string[] }[];
  settings?: Setting[];
  setup?(): void | Promise<void>;
  nodeCreated?(node: EditorNode): void;
  loadedGraphNode?(node: EditorNode): void;
  afterConfigureGraph?(): void;
  getNodeMenuItems?(node: EditorNode): (MenuItem | null)[];
  getSelectionToolboxCommands?(item: object): string[];
}

export interface ComfyApp {
  registerExtension(extension: ComfyExtension): void;
  canvas: EditorCanvas;
  /** The whole workflow; older versions have it as `graph`. */
  rootGraph?: EditorGraph;
  graph?: EditorGraph;
  extensionManager: ExtensionManager;
  graphToPrompt(...args: unknown[]): Promise<PromptParts>;
  /** Versions with this one ask extensions for `getNodeMenuItems`. */
  collectNodeMenuItems?(node: EditorNode): unknown;
}

/** The `executed` event: a node's results. */
export interface ExecutedDetail {
  node: string;
  prompt_id: string;
  output?: Record<string, unknown> | null;
}

export interface ComfyApi {
  addEventListener(type: 'executed', listener: (event: CustomEvent<ExecutedDetail>) => void): void;
  removeEventListener(type: 'executed', listener: (event: CustomEvent<ExecutedDetail>) => void): void;
  apiURL(route: string): string;
  fetchApi(route: string, init?: RequestInit): Promise<Response>;
  /** What the server said that it can, such as `max_upload_size` in bytes. */
  getServerFeature?(name: string): unknown;
  queuePrompt(position: number, prompt: PromptParts): Promise<{ prompt_id?: string; node_errors?: unknown }>;
}
