import { watch, type FSWatcher } from 'node:fs';

export interface FolderWatch {
  close(): void;
}

/**
 * Tells when something in a folder changes; undefined when it cannot be watched. A hint only: network drives and some
 * container mounts never tell, so whoever uses it must look for himself as well.
 */
export function watchFolder(
  folder: string,
  onChange: (fileName: string | null) => void,
  onLost: () => void,
): FolderWatch | undefined {
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, { persistent: false }, (_event, fileName) => onChange(fileName));
  } catch {
    // Missing, or out of watches (ENOSPC): looking when asked is enough.
    return undefined;
  }
  watcher.on('error', () => {
    watcher.close();
    onLost();
  });
  return { close: () => watcher.close() };
}
