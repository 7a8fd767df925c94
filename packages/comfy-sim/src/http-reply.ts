/** An answer, built before a byte is written, so that a fault can replace or damage it. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

export function json(value: unknown, status = 200): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}

/** Most actions answer 200 with nothing at all: no body, no content type. */
export function empty(status = 200): Reply {
  return { status, headers: {}, body: '' };
}

export function text(body: string, status = 200): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

export function bytes(body: Uint8Array, headers: Record<string, string>, status = 200): Reply {
  return { status, headers, body };
}

/** What the server's framework says for an unhandled exception, such as a body that is not JSON. */
export function serverError(): Reply {
  const { headers, ...reply } = text('500 Internal Server Error\n\nServer got itself in trouble', 500);
  return { ...reply, headers: { ...headers, connection: 'close' } };
}

/** An unknown path falls through to the static files, hence the type. */
export function notFound(): Reply {
  return { status: 404, headers: { 'content-type': 'application/octet-stream' }, body: '' };
}
