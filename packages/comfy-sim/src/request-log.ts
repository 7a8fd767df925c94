export interface LoggedRequest {
  method: string;
  path: string;
  query: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** Only of JSON bodies that a handler read. */
  body?: unknown;
}

const LIMIT = 2000;

/** What came in: a count per route, and the last requests themselves. */
export class RequestLog {
  readonly counters: Record<string, number> = {};
  readonly #requests: LoggedRequest[] = [];

  get requests(): readonly LoggedRequest[] {
    return this.#requests;
  }

  add(route: string, request: { method: string; path: string; query: string }): LoggedRequest {
    this.counters[route] = (this.counters[route] ?? 0) + 1;
    const entry: LoggedRequest = { ...request, at: Date.now() };
    this.#requests.push(entry);
    // Dropped in blocks: a shift per request would cost more than the request.
    if (this.#requests.length > LIMIT * 1.5) this.#requests.splice(0, this.#requests.length - LIMIT);
    return entry;
  }
}
