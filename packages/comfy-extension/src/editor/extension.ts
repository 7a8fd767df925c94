import { addBadge } from './badge.ts';
import { carryMarks } from './carry-marks.ts';
import type { ComfyApi, ComfyApp, ComfyExtension, Command, EditorNode, MenuItem } from './comfy-types.ts';
import { openDialog } from './dialog.ts';
import { el } from './elements.ts';
import { exportWithInputs } from './export-api.ts';
import { openImport } from './import-dialog.ts';
import { watchResults } from './last-results.ts';
import { nodeInputs, nodeTitle } from './node-inputs.ts';
import { addLegacyMenuEntry } from './node-menu.ts';
import { addPanelRow } from './properties-panel.ts';
import { openPublish } from './publish-dialog.ts';
import { createRevision } from './marks-revision.ts';
import { redraw } from './redraw.ts';
import { createSections } from './sections.ts';
import { createSession, type Session } from './session.ts';
import { settingsOf } from './settings.ts';
import { sidebarTab, sidebarTabId } from './sidebar.ts';

const commandIds = {
  show: 'ComfyBridge.ShowInputs',
  node: 'ComfyBridge.EditNode',
  exportFile: 'ComfyBridge.ExportApi',
  publish: 'ComfyBridge.Publish',
  importMarks: 'ComfyBridge.ImportMarks',
};

/** Everything that the editor is told. Nothing is asked of a version that it does not have. */
export function createExtension(app: ComfyApp, api: ComfyApi): ComfyExtension {
  const session = createSession(app, api);
  const results = watchResults(api);
  const actions = {
    exportFile: () => void exportWithInputs(session),
    publish: () => {
      openPublish(session, results);
    },
    importMarks: () => {
      openImport(session);
    },
    createSections: () => createSections(session, results),
  };
  const entry = (node: EditorNode): MenuItem => ({
    content: session.texts().menuEntry,
    callback: () => {
      openNode(session, node);
    },
  });
  const revision = createRevision(session);
  const nodeAppears = (node: EditorNode): void => {
    addBadge(session, node, revision.read);
    addPanelRow(session, node);
  };
  return {
    name: 'ComfyBridge.ApiInputs',
    commands: commandsOf(session, actions),
    menuCommands: [
      { path: ['File'], commands: [commandIds.exportFile, commandIds.publish, commandIds.importMarks] },
    ],
    settings: settingsOf(session),
    setup() {
      carryMarks(session);
      addLegacyMenuEntry(session, entry);
      app.extensionManager.registerSidebarTab(sidebarTab(session, actions));
      revision.start();
    },
    nodeCreated: nodeAppears,
    loadedGraphNode: nodeAppears,
    afterConfigureGraph() {
      revision.grow();
      // Until it is drawn anew, the tab holds tick boxes of nodes that are no longer there.
      session.redraw();
    },
    getNodeMenuItems: (node) => [entry(node)],
    getSelectionToolboxCommands: (item) =>
      'inputs' in item && session.selectedNodes().length === 1 ? [commandIds.node] : [],
  };
}

function commandsOf(
  session: Session,
  actions: { exportFile(): void; publish(): void; importMarks(): void },
): Command[] {
  const t = session.texts();
  return [
    {
      id: commandIds.show,
      label: t.showCommand,
      icon: 'pi pi-sliders-h',
      function() {
        void session.app.extensionManager.command?.execute(`Workspace.ToggleSidebarTab.${sidebarTabId}`);
      },
    },
    {
      id: commandIds.node,
      label: t.toolbox,
      icon: 'pi pi-sliders-h',
      function() {
        const [node] = session.selectedNodes();
        if (node !== undefined) openNode(session, node);
      },
    },
    {
      id: commandIds.exportFile,
      label: t.exportCommand,
      icon: 'pi pi-download',
      function: actions.exportFile,
    },
    {
      id: commandIds.publish,
      label: t.publishCommand,
      icon: 'pi pi-cloud-upload',
      function: actions.publish,
    },
    {
      id: commandIds.importMarks,
      label: t.importCommand,
      icon: 'pi pi-upload',
      function: actions.importMarks,
    },
  ];
}

/** The tick boxes of one node, as a dialog. */
function openNode(session: Session, node: EditorNode): void {
  const content = el('div', {});
  const draw = (): void => {
    redraw(content, [nodeInputs(session, node)]);
  };
  draw();
  const onClose = session.onChange(draw);
  const t = session.texts();
  openDialog({ title: `${t.tabTitle}: ${nodeTitle(node)}`, closeLabel: t.close, onClose }, content);
}
