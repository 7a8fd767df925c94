/** What happens to a request instead of, or on top of, its normal answer. */
export type Fault =
  /** An HTTP status with an empty body; the request has no effect. */
  | number
  /** The connection is reset before anything happens. */
  | 'reset'
  /** The request takes effect, then the connection is reset: the answer is lost. */
  | 'reset-after'
  /** No answer, ever. */
  | 'hang'
  /** The request takes effect; the answer says JSON but is not. */
  | 'garbage'
  /** The request takes effect; the connection breaks halfway through the body. */
  | 'truncate'
  /** A late answer. */
  | { delayMs: number }
  /** This answer instead; the request has no effect. */
  | { body: string | Uint8Array; status?: number; contentType?: string }
  /** A body of so many bytes, announced in `content-length` unless chunked. */
  | { hugeBytes: number; chunked?: boolean; contentType?: string };

/** Faults to come, per route such as `POST /prompt` or `GET /history/:id`. */
export class Faults {
  readonly #waiting = new Map<string, { fault: Fault; left: number }[]>();

  add(route: string, fault: Fault, times: number): void {
    const key = normalise(route);
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), { fault, left: times }]);
  }

  take(route: string): Fault | undefined {
    const waiting = this.#waiting.get(route);
    const [first] = waiting ?? [];
    if (!waiting || !first) return undefined;
    first.left -= 1;
    if (first.left <= 0) waiting.shift();
    return first.fault;
  }

  clear(): void {
    this.#waiting.clear();
  }
}

/** `post /api/prompt` and `POST /prompt` are one route. */
function normalise(route: string): string {
  const [method = '', path = ''] = route.trim().split(/\s+/);
  return `${method.toUpperCase()} ${path.replace(/^\/api(?=\/)/, '')}`;
}
