import { randomUUID } from 'node:crypto';

import { startSim } from '@comfy-bridge/comfy-sim';
import { expect, test } from 'vitest';

import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { createFleetRules } from '../src/lib/check-address.ts';
import type { ResolveHost } from '../src/lib/resolve-host.ts';
import { parseBody } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

/** A name server that tells other addresses at each call, and the last ones from then on. */
function rebinding(...answers: string[][]): ResolveHost & { calls: number } {
  const resolveHost = async () => {
    const addresses = answers[Math.min(resolver.calls, answers.length - 1)] ?? [];
    resolver.calls += 1;
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  const resolver = Object.assign(resolveHost, { calls: 0 });
  return resolver;
}

const socketOptions = () => ({
  clientId: randomUUID(),
  deadlineMs: 2000,
  onMessage: () => {},
  onClose: () => {},
});

test('a name is resolved at every connection, and refused once it leads where no ComfyUI is', async () => {
  await using sim = await startSim();
  const resolveHost = rebinding(['127.0.0.1'], ['127.0.0.1'], ['169.254.169.254']);
  await using client = createComfyClient({ url: `http://gpu.example:${sim.port}` }, { resolveHost });
  await expect(client.queueRemaining()).resolves.toBe(0);
  using socket = await client.openSocket(socketOptions());
  expect(socket.isOpen).toBe(true);
  expect(resolveHost.calls).toBe(2);
  const refused = expect.objectContaining({
    failure: 'unreachable',
    message: 'its address is one that may not be called (linkLocal)',
  });
  await expect(client.openSocket(socketOptions())).rejects.toEqual(refused);
  // The connection that stands is to the address that was checked; no new one is made.
  await expect(client.queueRemaining()).resolves.toBe(0);
  await using later = createComfyClient({ url: `http://gpu.example:${sim.port}` }, { resolveHost });
  await expect(later.queueRemaining()).rejects.toEqual(refused);
});

test.for([
  [['127.0.0.1', '100.100.100.200'], 'metadata'],
  [['fe80::1'], 'linkLocal'],
  [['0.0.0.0'], 'unspecified'],
  [['::ffff:169.254.169.254'], 'linkLocal'],
] as const)('a name with the addresses %j is refused as a whole', async ([addresses, kind]) => {
  await using sim = await startSim();
  const resolveHost = rebinding([...addresses]);
  await using client = createComfyClient({ url: `http://gpu.example:${sim.port}` }, { resolveHost });
  for (const call of [client.queueRemaining(), client.openSocket(socketOptions())])
    await expect(call).rejects.toMatchObject({
      failure: 'unreachable',
      message: expect.stringContaining(kind),
    });
  expect(sim.requests).toEqual([]);
});

test.for(['http://169.254.169.254', 'http://[fd00:ec2::254]:8188', 'http://[::ffff:a9fe:a9fe]:80'])(
  '%s is refused without a connection, for HTTP and for the WebSocket',
  async (url) => {
    await using client = createComfyClient({ url });
    for (const call of [client.queueRemaining(), client.openSocket(socketOptions())])
      await expect(call).rejects.toMatchObject({ message: expect.stringMatching(/may not be called/) });
  },
);

test('a client that is limited to networks calls nothing else', async () => {
  await using sim = await startSim();
  await using inside = createComfyClient({ url: sim.url }, { addresses: createFleetRules(['127.0.0.0/8']) });
  await using outside = createComfyClient({ url: sim.url }, { addresses: createFleetRules(['10.0.0.0/8']) });
  await expect(inside.queueRemaining()).resolves.toBe(0);
  await expect(outside.queueRemaining()).rejects.toMatchObject({ failure: 'unreachable' });
});

test('BACKEND_NETWORKS holds for the whole fleet, and operators read why a machine is not used', async () => {
  await using t = await startBridge({ ready: false, env: { BACKEND_NETWORKS: '10.0.0.0/8' } });
  const backends = () => parseBody<{ status: string; reason: string }[]>(t.get('/api/bridge/backends'));
  await expect.poll(backends).toMatchObject([
    {
      status: 'lost',
      reason: 'its address is one that may not be called (outside the networks of the fleet)',
    },
  ]);
  expect(t.sim.requests).toEqual([]);
});

test('an address that no ComfyUI has cannot be added', async () => {
  await using t = await startBridge();
  const answer = await t.post('/api/bridge/backends', { url: '169.254.169.254:80' });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('not a link-local, metadata');
});
