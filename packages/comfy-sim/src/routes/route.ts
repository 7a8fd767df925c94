import type { IncomingHttpHeaders } from 'node:http';
import type { Engine } from '../engine.ts';
import type { Reply } from '../http-reply.ts';

export interface RouteRequest {
  engine: Engine;
  method: string;
  /** Without the `/api` prefix. */
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The whole body, bounded by the largest allowed size. */
  body: Buffer;
  /** The body as JSON; throws a SyntaxError, which becomes a 500 as in the real server. */
  json: () => unknown;
}

export type RouteHandler = (request: RouteRequest) => Reply | Promise<Reply>;

/** Handlers by `METHOD /path/:param`; each is served with and without the `/api` prefix. */
export type Routes = Record<string, RouteHandler>;
