import { bytes, empty, json, text, type Reply } from '../http-reply.ts';
import { userPath, type UserFile, type UserFiles } from '../user-files.ts';
import type { RouteRequest, Routes } from './route.ts';

/** `/userdata`, where the editor keeps workflows and templates. Slashes of a file's path come percent-encoded. */
export function userdataRoutes(files: UserFiles): Routes {
  return {
    'GET /userdata': ({ query }) => {
      const given = query.get('dir') ?? '';
      if (given === '') return text('Directory not provided', 400);
      const folder = userPath(given);
      if (folder === undefined) return text('Invalid directory', 403);
      if (!files.hasFolder(folder)) return text('Directory not found', 404);
      const found = files.list(folder, isTrue(query, 'recurse'));
      if (isTrue(query, 'full_info')) return json(found.map(({ path, file }) => infoOf(path, file)));
      const isSplit = isTrue(query, 'split');
      return json(found.map(({ path }) => (isSplit ? [path, ...path.split('/')] : path)));
    },
    'GET /v2/userdata': ({ query }) => {
      const folder = userPath(query.get('path') ?? '');
      if (folder === undefined) return text('Invalid path requested', 400);
      if (!files.hasFolder(folder)) return text('Requested path not found', 404);
      return json(treeOf(files, folder));
    },
    'GET /userdata/:file': (request) =>
      withFile(files, request, (_, file) =>
        bytes(file.bytes, { 'content-type': 'application/octet-stream' }),
      ),
    'POST /userdata/:file': ({ params, query, body }) => {
      const path = userPath(params.file ?? '');
      if (path === undefined || path === '') return empty(403);
      if (query.get('overwrite') === 'false' && files.get(path)) return text('File already exists', 409);
      return told(path, files.put(path, body), query);
    },
    'DELETE /userdata/:file': (request) =>
      withFile(files, request, (path) => {
        files.remove(path);
        return empty(204);
      }),
    'POST /userdata/:file/move/:dest': (request) =>
      withFile(files, request, (path, file) => {
        const { params, query } = request;
        const to = userPath(params.dest ?? '');
        if (to === undefined || to === '') return empty(403);
        if (query.get('overwrite') === 'false' && files.get(to)) return text('File already exists', 409);
        files.remove(path);
        return told(to, files.put(to, file.bytes), query);
      }),
  };
}

function withFile(
  files: UserFiles,
  { params }: RouteRequest,
  answer: (path: string, file: UserFile) => Reply,
): Reply {
  const path = userPath(params.file ?? '');
  if (path === undefined) return empty(403);
  const file = files.get(path);
  return file ? answer(path, file) : empty(404);
}

function told(path: string, file: UserFile, query: URLSearchParams): Reply {
  return json(isTrue(query, 'full_info') ? infoOf(path, file) : path);
}

function infoOf(path: string, { bytes: { length: size }, modified }: UserFile) {
  return { path, size, modified, created: modified };
}

/** Folders first, then files, by name; paths from the top. */
function treeOf(files: UserFiles, folder: string) {
  const prefix = folder === '' ? '' : `${folder}/`;
  const folders = new Set<string>();
  const listed = files.list(folder, true).map(({ path, file }) => {
    const parts = path.split('/');
    for (let end = 1; end < parts.length; end += 1) folders.add(parts.slice(0, end).join('/'));
    const { size, modified } = infoOf(path, file);
    const name = parts.at(-1) ?? path;
    return { name, path: prefix + path, type: 'file', size, modified: modified / 1000 };
  });
  const directories = [...folders].map((path) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    path: prefix + path,
    type: 'directory',
  }));
  const byName = (a: { name: string }, b: { name: string }) =>
    a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1;
  return [...directories.sort(byName), ...listed.sort(byName)];
}

function isTrue(query: URLSearchParams, name: string): boolean {
  return query.get(name)?.toLowerCase() === 'true';
}
