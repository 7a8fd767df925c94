import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { failing, startRig, startServer } from './_comfy-rig.ts';

describe('every call', () => {
  it('ends by its deadline when nothing answers', async () => {
    await using rig = await startRig({}, { deadlineMs: 50 });
    rig.sim.hang(true);
    await expect(rig.client.queueRemaining()).rejects.toEqual(failing('timeout'));
    await expect(rig.client.view({ filename: 'x', subfolder: '', type: 'temp' })).rejects.toEqual(
      failing('timeout'),
    );
    rig.sim.hang(false);
    await expect(rig.client.queueRemaining()).resolves.toBe(0);
  });

  it("ends by its caller's signal, at once when that is over already", async () => {
    await using rig = await startRig();
    rig.sim.failNext('GET /prompt', 'hang', 2);
    const giveUp = new AbortController();
    const call = rig.client.queueRemaining(giveUp.signal);
    giveUp.abort();
    await expect(call).rejects.toEqual(failing('aborted'));
    await expect(rig.client.queueRemaining(giveUp.signal)).rejects.toEqual(failing('aborted'));
    await expect(rig.client.queueRemaining(AbortSignal.timeout(20))).rejects.toEqual(failing('timeout'));
  });

  it('fails at once where nobody listens, and works again when somebody does', async () => {
    await using rig = await startRig();
    await rig.sim.refuse(true);
    await expect(rig.client.queueRemaining()).rejects.toEqual(failing('unreachable'));
    await rig.sim.refuse(false);
    await expect(rig.client.queueRemaining()).resolves.toBe(0);
  });

  it('follows no redirect', async () => {
    let calls = 0;
    await using server = await startServer((_request, response) => {
      calls += 1;
      response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end();
    });
    await using client = createComfyClient({ url: server.url });
    await expect(client.systemStats()).rejects.toEqual(failing('status', 302));
    expect(calls).toBe(1);
  });

  it('goes below the base path, with the token and without an origin', async () => {
    const seen: unknown[] = [];
    await using server = await startServer((request, response) => {
      seen.push([request.url, request.headers.authorization, request.headers.origin]);
      response.end('{"exec_info":{"queue_remaining":3}}');
    });
    await using client = createComfyClient({ url: `${server.url}/comfy/`, token: 'secret' });
    expect(await client.queueRemaining()).toBe(3);
    expect(seen).toEqual([['/comfy/prompt', 'Bearer secret', undefined]]);
  });

  it('is malformed where the other side does not speak HTTP', async () => {
    const server = createTcpServer((socket) => {
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH\r\n');
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    try {
      await using client = createComfyClient({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      });
      await expect(client.queueRemaining()).rejects.toEqual(failing('malformed'));
    } finally {
      server.close();
    }
  });

  it('ends when the client is closed', async () => {
    await using rig = await startRig();
    rig.sim.hang(true);
    const call = rig.client.queueRemaining();
    const ended = expect(call).rejects.toEqual(failing('aborted'));
    await rig.client.close();
    await ended;
    await expect(rig.client.queueRemaining()).rejects.toEqual(failing('aborted'));
  });
});
