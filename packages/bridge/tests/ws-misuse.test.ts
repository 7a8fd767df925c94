import { describe, expect, test } from 'vitest';

import { accessModes } from './_access.ts';
import { submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

/** Another client, served as if nothing was. */
async function expectOthersAreServed(t: TestBridge): Promise<void> {
  using other = await openSocket(`${t.wsUrl}/ws?clientId=other`, { headers: t.credentials });
  await submit(t, 'other');
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await other.next('closed')).toMatchObject({ status: 'closed' });
  await other.closed;
}

describe.each(accessModes)('%s', (access) => {
  test.each([65 * 1024, 8 * 1024 * 1024])(
    'a message of %d bytes ends the connection with 1009',
    async (size) => {
      await using t = await startBridge({ access });
      using client = await openSocket(`${t.wsUrl}/ws?clientId=big`, { headers: t.credentials });
      client.socket.send(Buffer.alloc(size, 'x').toString());
      expect(await client.closed).toMatchObject({ code: 1009 });
      await expectOthersAreServed(t);
    },
  );

  test('a message far larger than allowed is refused by its announced length, before it comes', async () => {
    await using t = await startBridge({ access });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=big`, { headers: t.credentials });
    // The head of a masked text frame of 64 MB, and nothing after it.
    const head = Buffer.alloc(14);
    head.writeUInt8(0x81, 0);
    head.writeUInt8(0xff, 1);
    head.writeBigUInt64BE(64n * 1024n * 1024n, 2);
    const stream = Reflect.get(client.socket, '_socket');
    stream.write(head);
    expect(await client.closed).toMatchObject({ code: 1009 });
    await expectOthersAreServed(t);
  });

  test('a flood of messages ends the connection with 1008', async () => {
    await using t = await startBridge({ access });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=flood`, { headers: t.credentials });
    for (let message = 0; message < 2_000; message += 1) client.socket.send('hello');
    expect(await client.closed).toMatchObject({ code: 1008 });
    await expectOthersAreServed(t);
  });

  test('a few messages are ignored, whatever they say', async () => {
    await using t = await startBridge({ access });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=talker`, { headers: t.credentials });
    for (const message of ['', 'ping', '{"type":"x"}', '['.repeat(10_000), Buffer.alloc(50)])
      client.socket.send(message);
    await submit(t, 'talker');
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect(await client.next('closed')).toMatchObject({ status: 'closed' });
    expect(t.errors).toEqual([]);
  });

  test.each([
    ['text that is not UTF-8', Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe])],
    ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61])],
    ['reserved bits', Buffer.from([0xf1, 0x81, 0, 0, 0, 0, 0x61])],
  ])('%s ends that connection alone', async (_what, bytes) => {
    await using t = await startBridge({ access });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=broken`, { headers: t.credentials });
    Reflect.get(client.socket, '_socket').write(bytes);
    const { code } = await client.closed;
    expect([1002, 1007]).toContain(code);
    await expectOthersAreServed(t);
  });

  test('a misbehaving client that is cut off loses its job like one that leaves', async () => {
    await using t = await startBridge({ access, env: { GRACE_SECONDS: '0' } });
    using client = await openSocket(`${t.wsUrl}/ws?clientId=flood`, { headers: t.credentials });
    await submit(t, 'flood');
    const run = await t.sim.nextPrompt();
    for (let message = 0; message < 200; message += 1) client.socket.send('hello');
    await run.interrupted;
    expect(await client.closed).toMatchObject({ code: 1008 });
  });
});
