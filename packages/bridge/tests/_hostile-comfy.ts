import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

import type { Sim } from '@comfy-bridge/comfy-sim';
import { WebSocket, WebSocketServer } from 'ws';

import { closeServer, listen } from '../src/lib/listen.ts';
import { mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';
import { mutateText } from './_mutate-json.ts';

export interface HostileComfy extends AsyncDisposable {
  /** `127.0.0.1:12345` */
  readonly address: string;
  /** Answers and frames that were changed. */
  readonly changed: () => number;
  /** Says the truth from now on. */
  behave(): void;
}

/** In front of a stand-in: what that answers and tells is changed now and then, one time in `oneIn`. */
export async function startHostile(sim: Sim, random: Random, oneIn: number): Promise<HostileComfy> {
  let changed = 0;
  let isHostile = true;
  const isBad = () => {
    const bad = isHostile && random.int(oneIn) === 0;
    if (bad) changed += 1;
    return bad;
  };
  const server = createServer((request, response) => {
    void forward(sim, request).then(
      ({ status, contentType, body }) => {
        const bad = isBad();
        const sent = bad ? mutateBody(body, random) : body;
        const told = bad ? random.pick([status, status, 200, 204, 301, 400, 404, 429, 500, 503]) : status;
        response.writeHead(told, { 'content-type': contentType }).end(told === 204 ? undefined : sent);
      },
      () => response.destroy(),
    );
  });
  const wss = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    wss.handleUpgrade(request, socket, head, (front) => {
      const back = new WebSocket(`ws://${sim.address}${request.url ?? '/ws'}`);
      const held: [Buffer, boolean][] = [];
      front.on('message', (data: Buffer, isBinary) => {
        if (back.readyState === back.OPEN) back.send(data, { binary: isBinary });
        else held.push([data, isBinary]);
      });
      back.on('open', () => held.forEach(([data, isBinary]) => back.send(data, { binary: isBinary })));
      back.on('message', (data: Buffer, isBinary) => {
        const sent = isBad() ? (isBinary ? mutate(data, random, [data]) : mutateBody(data, random)) : data;
        front.send(sent, { binary: isBinary });
      });
      for (const [one, other] of [
        [front, back],
        [back, front],
      ] as const) {
        one.on('error', () => other.terminate());
        one.on('close', () => other.terminate());
      }
    });
  });
  const url = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    address: new URL(url).host,
    changed: () => changed,
    behave: () => {
      isHostile = false;
    },
    async [Symbol.asyncDispose]() {
      for (const client of wss.clients) client.terminate();
      await closeServer(server, 0);
    },
  };
}

async function forward(sim: Sim, request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const answer = await fetch(`${sim.url}${request.url ?? '/'}`, {
    method: request.method ?? 'GET',
    redirect: 'manual',
    headers: {
      connection: 'close',
      ...(request.headers['content-type'] !== undefined && {
        'content-type': request.headers['content-type'],
      }),
    },
    ...(request.method === 'POST' && { body: Buffer.concat(chunks) }),
  });
  return {
    status: answer.status,
    contentType: answer.headers.get('content-type') ?? '',
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

function mutateBody(body: Buffer, random: Random): Buffer {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    return body.length > 0 ? mutate(body, random, [body]) : Buffer.from('<html>');
  }
  return mutateText(json, random);
}
