import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** A file of the page, as it was when the bridge started. */
export interface PageFile {
  contentType: string;
  /** Of the content, without quotes. */
  hash: string;
  /** Each form is made once, when it is first asked for. */
  encoded(encoding: Encoding): Promise<Buffer>;
  /** Whether packing makes it smaller: pictures and fonts are packed already. */
  isText: boolean;
}

export type Encoding = 'br' | 'gzip' | 'identity';

export interface Page {
  index: PageFile;
  /** By name, without folders. */
  files: ReadonlyMap<string, PageFile>;
}

const types: Readonly<Record<string, { contentType: string; isText: boolean }>> = {
  '.js': { contentType: 'text/javascript; charset=utf-8', isText: true },
  '.css': { contentType: 'text/css; charset=utf-8', isText: true },
  '.svg': { contentType: 'image/svg+xml', isText: true },
  '.json': { contentType: 'application/json', isText: true },
  '.webmanifest': { contentType: 'application/manifest+json', isText: true },
  '.png': { contentType: 'image/png', isText: false },
  '.ico': { contentType: 'image/vnd.microsoft.icon', isText: false },
  '.woff2': { contentType: 'font/woff2', isText: false },
};

const maxFiles = 500;
const maxBytes = 32 * 1024 * 1024;

/**
 * The built page: `index.html`, and beside it a folder `console` with all that it names. Everything is read here and now, so
 * that no path of a caller ever reaches the disk. Undefined where no page was built. Throws when the folder is no page of ours.
 */
export function readPage(directory: string | undefined): Page | undefined {
  if (directory === undefined || !existsSync(join(directory, 'index.html'))) return undefined;
  const folder = join(directory, 'console');
  // Neither folders nor links to elsewhere.
  const names = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []))
    : [];
  const files = new Map<string, PageFile>();
  let bytes = 0;
  for (const name of names) {
    const type = types[extname(name)];
    // Maps of sources, and what a tool has left there.
    if (type === undefined) continue;
    const content = readFileSync(join(folder, name));
    bytes += content.length;
    files.set(name, toFile(content, type));
  }
  if (files.size > maxFiles || bytes > maxBytes)
    throw new Error(`${folder} holds ${files.size} files of ${bytes} bytes: that is not the page`);
  const html = { contentType: 'text/html; charset=utf-8', isText: true };
  return { index: toFile(readFileSync(join(directory, 'index.html')), html), files };
}

/** Where the page lies: where its package builds it, or, `from` a built program, beside that. */
export function findPage(from: string): string {
  const inSources = /[\\/]bridge[\\/]src$/.test(from);
  return inSources ? join(from, '../../console/dist') : join(from, 'console');
}

function toFile(
  content: Buffer,
  { contentType, isText }: { contentType: string; isText: boolean },
): PageFile {
  const made = new Map<Encoding, Promise<Buffer>>([['identity', Promise.resolve(content)]]);
  return {
    contentType,
    isText,
    hash: createHash('sha256').update(content).digest('base64url'),
    encoded(encoding) {
      const form = made.get(encoding) ?? pack(content, encoding);
      made.set(encoding, form);
      return form;
    },
  };
}

const packBrotli = promisify(brotliCompress);
const packGzip = promisify(gzip);

function pack(content: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return packGzip(content, { level: 9 });
  return packBrotli(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 10,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}
