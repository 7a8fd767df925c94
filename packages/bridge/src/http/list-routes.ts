import type { Router } from 'express';

export interface Route {
  /** In lower case; `_all` where a router takes whatever method comes. */
  method: string;
  /** As Express has it: `/api/v2/jobs/:id`. */
  path: string;
}

/** Every method and path that the routers serve. */
export function listRoutes(routers: readonly Router[]): Route[] {
  return routers.flatMap(({ stack }) =>
    stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : [...new Set(route.stack.map(({ method }) => method ?? '_all'))].flatMap((method) =>
            // Express takes a list of paths as well, which its types do not say.
            [route.path].flat().map((path) => ({ method, path })),
          ),
    ),
  );
}
