import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Versions of ComfyUI's editor: the one of ComfyUI 0.3.64, one between, and a new one. CI downloads what is listed there. */
export const versions = readFileSync(join(import.meta.dirname, 'editors.txt'), 'utf8')
  .trim()
  .split('\n');

const editors = process.env['EDITORS'] ?? join(import.meta.dirname, '../../.cache/editors');

/** The folder that holds the built editor's `index.html`. */
export function frontEndRoot(version: string): string {
  return join(editors, version, 'comfyui_frontend_package/static');
}

export const chromium = findChromium();

/** Undefined when everything is there. */
export const missing = whatIsMissing();

function whatIsMissing(): string | undefined {
  const gone = versions.filter((version) => !existsSync(join(frontEndRoot(version), 'index.html')));
  const parts = [
    ...(chromium === undefined ? ['Chromium (or CHROMIUM with its path)'] : []),
    ...(gone.length > 0 ? [`ComfyUI's editor ${gone.join(', ')} in ${editors}`] : []),
  ];
  return parts.length === 0 ? undefined : `there is no ${parts.join(' and no ')}; .ci/run gets both`;
}

function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return existsSync(named) ? named : undefined;
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/bin',
    '/snap/bin',
    '/usr/local/bin',
  ];
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const usual = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
  return [...paths, ...usual].find((path) => existsSync(path));
}
