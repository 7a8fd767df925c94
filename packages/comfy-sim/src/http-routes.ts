import type { Editor } from './routes/editor-routes.ts';
import { donorRoutes } from './routes/donor-routes.ts';
import { infoRoutes } from './routes/info-routes.ts';
import { jobsRoutes } from './routes/jobs-routes.ts';
import { promptRoutes } from './routes/prompt-routes.ts';
import type { RouteHandler, Routes } from './routes/route.ts';
import { uploadRoutes } from './routes/upload-routes.ts';
import { viewRoutes } from './routes/view-routes.ts';

export interface RouteMatch {
  /** `GET /history/:id`: the name under which requests are counted and faults are set. */
  route: string;
  params: Record<string, string>;
  handler: RouteHandler | undefined;
}

interface Pattern {
  method: string;
  parts: string[];
  route: string;
  handler: RouteHandler;
}

/** Finds the handler of a request. `/x` and `/api/x` are the same, except that `/jobs` exists only under `/api`. */
export function createRouter({
  jobsApi,
  editor,
}: {
  jobsApi: boolean;
  editor: Editor | undefined;
}): (method: string, path: string) => RouteMatch {
  const routes: Routes = {
    ...promptRoutes,
    ...infoRoutes,
    ...uploadRoutes,
    ...viewRoutes,
    ...donorRoutes,
    ...(jobsApi ? jobsRoutes : {}),
    ...editor?.routes,
  };
  const exact = new Map<string, RouteHandler>();
  const patterns: Pattern[] = [];
  for (const [route, handler] of Object.entries(routes)) {
    const [method = '', path = ''] = route.split(' ');
    if (path.includes(':')) patterns.push({ method, parts: path.split('/'), route, handler });
    else exact.set(route, handler);
  }
  return (method, path) => {
    const bare = path.replace(/^\/api(?=\/)/, '');
    const onlyUnderApi = bare === path && /^\/jobs(\/|$)/.test(path);
    const route = `${method} ${bare}`;
    if (onlyUnderApi) return { route, params: {}, handler: undefined };
    const handler = exact.get(route);
    if (handler) return { route, params: {}, handler };
    const parts = bare.split('/');
    for (const pattern of patterns) {
      const params = pattern.method === method ? match(pattern.parts, parts) : undefined;
      if (params) return { route: pattern.route, params, handler: pattern.handler };
    }
    if (editor && (method === 'GET' || method === 'HEAD') && bare === path)
      return { route: `${method} /*`, params: {}, handler: editor.files };
    return { route, params: {}, handler: undefined };
  };
}

function match(pattern: string[], parts: string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const given = parts[at] ?? '';
    if (part.startsWith(':') && given !== '') params[part.slice(1)] = decode(given);
    else if (part !== given) return undefined;
  }
  return params;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray percent sign is kept as it is.
    return text;
  }
}
