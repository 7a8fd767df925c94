import { bytes, empty, json, notFound } from '../http-reply.ts';
import { MODEL_FOLDERS } from '../sim-options.ts';
import { UserFiles } from '../user-files.ts';
import { openWebFolder, type WebFolder } from '../web-folder.ts';
import type { RouteHandler, RouteRequest, Routes } from './route.ts';
import { settingsRoutes } from './settings-routes.ts';
import { userdataRoutes } from './userdata-routes.ts';

/** What is served to a browser that opens ComfyUI: its editor, and what the editor asks of its server. */
export interface Editor {
  routes: Routes;
  /** Files, for each GET that no route answers. */
  files: RouteHandler;
}

export interface EditorFolders {
  /** Holds the `index.html` of a built editor. */
  frontEndRoot: string | undefined;
  /** Web folders of packs by the pack's name. */
  extensions: Readonly<Record<string, string>>;
}

/** Undefined when there is nothing to serve. Rejects when a folder is not there or holds no editor. */
export async function openEditor({ frontEndRoot, extensions }: EditorFolders): Promise<Editor | undefined> {
  if (frontEndRoot === undefined) {
    if (Object.keys(extensions).length === 0) return undefined;
    throw new Error('extensions are served to an editor: give its folder too (frontEndRoot)');
  }
  const root = await openWebFolder(frontEndRoot);
  if ((await root.read('index.html')) === undefined) throw new Error(`no index.html in ${frontEndRoot}`);
  const packs = new Map<string, WebFolder>();
  for (const [name, folder] of Object.entries(extensions)) packs.set(name, await openWebFolder(folder));
  const files = filesOf(root, packs);
  return {
    files,
    routes: {
      ...settingsRoutes(),
      ...userdataRoutes(new UserFiles()),
      'GET /': (request) => files({ ...request, path: '/index.html' }),
      'GET /extensions': async () => json(await extensionUrls(root, packs)),
      'GET /i18n': () => json({}),
      'GET /workflow_templates': () => json({}),
      'GET /templates/index.json': () => json([]),
      'GET /global_subgraphs': () => json({}),
      'GET /internal/folder_paths': () =>
        json(Object.fromEntries(modelFolders().map((name) => [name, [folderPath(name)]]))),
      'GET /experiment/models': () =>
        json(modelFolders().map((name) => ({ name, folders: [folderPath(name)] }))),
      'GET /experiment/models/:folder': ({ engine, params: { folder = '' } }) =>
        modelFolders().includes(folder)
          ? json(engine.toldModels(folder).map((name) => ({ name, pathIndex: 0 })))
          : empty(404),
    },
  };
}

function folderPath(name: string): string {
  return `/simulated/models/${name}`;
}

function modelFolders(): string[] {
  return MODEL_FOLDERS.filter((name) => name !== 'configs' && name !== 'custom_nodes');
}

function filesOf(root: WebFolder, packs: ReadonlyMap<string, WebFolder>) {
  return async ({ path }: Pick<RouteRequest, 'path'>) => {
    const parts = decodePath(path)?.split('/').slice(1) ?? [];
    const [first, pack = '', ...rest] = parts;
    const folder = first === 'extensions' ? packs.get(pack) : undefined;
    const file = await (folder === undefined ? root.read(parts.join('/')) : folder.read(rest.join('/')));
    if (file === undefined) return notFound();
    return bytes(file.bytes, { 'content-type': file.type, 'cache-control': 'no-cache' });
  };
}

/** The editor's own scripts for extensions, then those of the packs. The editor imports each of them. */
async function extensionUrls(root: WebFolder, packs: ReadonlyMap<string, WebFolder>): Promise<string[]> {
  const own = await root.scripts();
  const urls = own.filter((path) => path.startsWith('extensions/')).map((path) => `/${path}`);
  for (const [name, folder] of packs) {
    for (const path of await folder.scripts()) urls.push(`/extensions/${encodeURIComponent(name)}/${path}`);
  }
  return urls;
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
