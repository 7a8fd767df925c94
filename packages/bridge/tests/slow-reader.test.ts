import { describe, expect, test } from 'vitest';

import { accessModes } from './_access.ts';
import { submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

const preview = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(1024 * 1024, 7)]);

describe.each(accessModes)('%s', (access) => {
  test('who does not read gets fewer pictures, never an endless backlog, and the end all the same', async () => {
    await using t = await startBridge({ access, env: { TIMEOUT_INTERVAL: '0.1' } });
    using slow = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`, { headers: t.credentials });
    using quick = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`, { headers: t.credentials });
    await submit(t, 'one');
    const run = await t.sim.nextPrompt();
    slow.socket.pause();
    const count = 40;
    for (let sent = 0; sent < count; sent += 1) {
      run.preview(preview);
      await quick.nextBinary();
    }
    await run.finish({ images: 1 });
    expect(await quick.next('closed')).toMatchObject({ status: 'closed' });
    expect(quick.binary).toHaveLength(count);
    slow.socket.resume();
    expect(await slow.next('closed')).toMatchObject({ status: 'closed' });
    expect(slow.binary.length).toBeLessThan(count / 2);
    expect(t.errors).toEqual([]);
  });

  test('one that leaves too much unread is let go with 1013, and nobody else notices', async () => {
    await using t = await startBridge({ access, env: { TIMEOUT_INTERVAL: '0.1' } });
    using slow = await openSocket(`${t.wsUrl}/ws?clientId=one&previews=1`, { headers: t.credentials });
    using other = await openSocket(`${t.wsUrl}/ws?clientId=one`, { headers: t.credentials });
    await submit(t, 'one');
    const run = await t.sim.nextPrompt();
    slow.socket.pause();
    const sent = t.nextEvent('job:preview');
    run.preview(Buffer.concat(Array.from({ length: 12 }, () => preview)));
    await sent;
    // Two heartbeats of the other one, not counting any of before: by then the first was looked at.
    const before = other.frames.length;
    await expect.poll(() => other.frames.length, { interval: 10 }).toBeGreaterThan(before + 2);
    slow.socket.resume();
    expect(await slow.closed).toMatchObject({ code: 1013 });
    expect(run.isInterrupted).toBe(false);
    await run.finish({ images: 1 });
    expect(await other.next('closed')).toMatchObject({ status: 'closed' });
  });
});
