import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Kept } from '../answers/send-unless-known.ts';
import { pageScript, pageStyle, renderPage } from './page.ts';

export interface DocsPages {
  page(): Kept;
  /** A file of the page; undefined when it has none of that name. */
  file(name: string): Promise<Kept | undefined>;
}

/** What the page needs of Swagger UI, and nothing else of it. */
const swaggerFiles: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

/** Shown where the bridge runs from its repository. */
const guides = [
  { file: 'client.md', title: 'Recipes for programs' },
  { file: 'api.md', title: 'All calls' },
  { file: 'operator.md', title: 'Guide for operators' },
] as const;

/** The page and its files, each read once. Swagger UI comes from its package, wherever Node finds that. */
export function createDocsPages(): DocsPages {
  const require = createRequire(import.meta.url);
  const swaggerDir = dirname(require.resolve('swagger-ui-dist/package.json'));
  const docsDir = findDocs(import.meta.dirname);
  const page = keep('text/html', renderPage(guides.filter(({ file }) => hasFile(docsDir, file))));
  const own = new Map<string, Kept>([
    ['page.css', keep('text/css', pageStyle)],
    ['page.js', keep('text/javascript', pageScript)],
  ]);

  async function read(name: string): Promise<Kept | undefined> {
    const contentType = Object.hasOwn(swaggerFiles, name) ? swaggerFiles[name] : undefined;
    if (contentType !== undefined) return keep(contentType, await readFile(join(swaggerDir, name)));
    const guide = guides.find(({ file }) => file === name);
    if (guide === undefined || docsDir === undefined || !hasFile(docsDir, name)) return undefined;
    return keep('text/plain', await readFile(join(docsDir, guide.file)));
  }

  return {
    page: () => page,
    async file(name) {
      const kept = own.get(name) ?? (await read(name));
      if (kept !== undefined) own.set(name, kept);
      return kept;
    },
  };
}

function keep(contentType: string, body: string | Buffer): Kept {
  return { contentType, body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

function hasFile(folder: string | undefined, file: string): boolean {
  return folder !== undefined && existsSync(join(folder, file));
}

/** The folder `docs` of the repository, above the sources and above the build alike. */
function findDocs(from: string): string | undefined {
  for (let folder = from, up = 0; up < 6; up += 1, folder = dirname(folder)) {
    const candidate = join(folder, 'docs');
    if (guides.some(({ file }) => hasFile(candidate, file))) return candidate;
  }
  return undefined;
}
