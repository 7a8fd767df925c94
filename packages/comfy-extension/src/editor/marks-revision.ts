import type { SidebarTab } from './comfy-types.ts';
import type { Session } from './session.ts';
import { sidebarTabId } from './sidebar.ts';

/**
 * A number that grows with each change of marks, where the editor's Vue notices that it was read: in the extension's own
 * sidebar tab, which the editor gives back as an object that it watches. An editor that does not give it back has no Vue
 * renderer that needs it.
 */
export function createRevision(session: Session): { start(): void; grow(): void; read(): void } {
  let tab: SidebarTab | undefined;
  const grow = (): void => {
    if (tab !== undefined) tab.marksRevision = (tab.marksRevision ?? 0) + 1;
  };
  return {
    start() {
      tab = session.app.extensionManager.getSidebarTabs?.().find(({ id }) => id === sidebarTabId);
      session.onChange(grow);
    },
    grow,
    read: () => void tab?.marksRevision,
  };
}
