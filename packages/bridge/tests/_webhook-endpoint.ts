import { createServer } from 'node:http';
import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

export const testSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A real server on 127.0.0.1 that is told webhooks, and answers each as `answer` says (default 204). */
export async function startEndpoint(
  answer: (response: ServerResponse, nth: number) => void = (response) => response.writeHead(204).end(),
) {
  const received: ReceivedWebhook[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const listener: RequestListener = (request, response) => {
    response.on('error', () => {});
    void text(request)
      .then((body) => {
        received.push({ method: request.method, path: request.url, headers: request.headers, body });
        answer(response, received.length);
        for (const { count, resolve } of waiting) if (received.length >= count) resolve();
      })
      .catch(() => {});
  };
  const server = createServer(listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}/hook?key=1`,
    received,
    connections: () => connections,
    openSockets: () => sockets.size,
    /** Resolves when so many requests have come. */
    async waitFor(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (received.length >= count) resolve();
      await promise;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** As a receiver checks it: throws when the signature is not good. */
export function verifyWebhook({ headers, body }: ReceivedWebhook, secret = testSecret): unknown {
  return new Webhook(secret).verify(body, {
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  });
}
