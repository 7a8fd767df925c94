import { readdir, readFile, realpath } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
};

/** A folder whose files are served. */
export interface WebFolder {
  /** A file by its path below the folder, with `/`; undefined when there is none, or when it lies elsewhere. */
  read(path: string): Promise<{ bytes: Uint8Array; type: string } | undefined>;
  /** The `.js` files below the folder, as paths with `/`. */
  scripts(): Promise<string[]>;
}

/** Rejects when there is no such folder. */
export async function openWebFolder(folder: string): Promise<WebFolder> {
  const root = await realpath(folder);
  return {
    async read(path) {
      try {
        // Links are followed first, so that none leads out of the folder; a NUL makes this throw.
        const file = await realpath(join(root, ...path.split('/')));
        if (!file.startsWith(root + sep)) return undefined;
        return { bytes: await readFile(file), type: TYPES[extname(file)] ?? 'application/octet-stream' };
      } catch {
        // No such file, or a folder.
        return undefined;
      }
    },
    async scripts() {
      const found = await readdir(root, { recursive: true, withFileTypes: true });
      return found
        .filter((entry) => entry.name.endsWith('.js') && !entry.isDirectory())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .sort();
    },
  };
}
