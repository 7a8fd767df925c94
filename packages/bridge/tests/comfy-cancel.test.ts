import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createComfyClient } from '../src/comfy/comfy-client.ts';
import { failing, startRig, startServer } from './_comfy-rig.ts';

describe('cancelling', () => {
  it('takes a waiting prompt off the queue, and leaves what runs alone', async () => {
    await using rig = await startRig();
    await rig.submit(30);
    const run = await rig.sim.nextPrompt();
    const waiting = await rig.submit(31);
    await expect(rig.client.cancelPrompt(waiting)).resolves.toBe('canceled');
    expect(rig.sim.queue()).toEqual({ running: [run.promptId], pending: [] });
    expect(rig.sim.counters['POST /interrupt']).toBeUndefined();
    expect(run.isInterrupted).toBe(false);
  });

  it('interrupts a running prompt by its id', async () => {
    await using rig = await startRig();
    const promptId = await rig.submit();
    const run = await rig.sim.nextPrompt();
    run.start('2');
    await expect(rig.client.cancelPrompt(promptId, { pollMs: 5 })).resolves.toBe('canceled');
    expect(await run.done).toBe('interrupted');
  });

  it('names the prompt to interrupt, and does not interrupt when others run beside it', async () => {
    const interrupts: string[] = [];
    let running = ['ours'];
    await using server = await startServer((request, response) => {
      if (request.url === '/interrupt') {
        request.on('data', (chunk: Buffer) => interrupts.push(chunk.toString()));
        running = ['ours', 'another'];
      }
      const items = running.map((id) => [1, id, {}, {}, []]);
      request.resume().on('end', () => {
        if (request.url === '/queue')
          response.end(JSON.stringify({ queue_running: items, queue_pending: [] }));
        else response.writeHead(request.url === '/interrupt' ? 200 : 405).end();
      });
    });
    await using client = createComfyClient({ url: server.url });
    await expect(client.cancelPrompt('ours', { tries: 3, pollMs: 1 })).resolves.toBe('requested');
    expect(interrupts).toEqual(['{"prompt_id":"ours"}']);
  });

  it('never touches a neighbour, also where the server interrupts whatever runs', async () => {
    await using rig = await startRig({ features: { targetedInterrupt: false } });
    const neighbour = rig.sim.addForeignPrompt();
    const promptId = await rig.submit();
    await expect(rig.client.cancelPrompt(promptId)).resolves.toBe('canceled');
    await expect(rig.client.cancelPrompt(randomUUID())).resolves.toBe('not-found');
    expect(rig.sim.queue()).toEqual({ running: [neighbour.promptId], pending: [] });
    expect(rig.sim.counters['POST /interrupt']).toBeUndefined();
    await neighbour.finish();
  });

  it('asks again while the prompt goes on, and says so in the end', async () => {
    await using rig = await startRig();
    const promptId = await rig.submit();
    (await rig.sim.nextPrompt()).hang();
    await expect(rig.client.cancelPrompt(promptId, { tries: 3, pollMs: 5 })).resolves.toBe('requested');
    expect(rig.sim.counters['POST /interrupt']).toBe(3);
  });

  it('uses the atomic route where there is one', async () => {
    await using rig = await startRig({ features: { jobsApi: true } });
    const promptId = await rig.submit(30);
    const run = await rig.sim.nextPrompt();
    const waiting = await rig.submit(31);
    await expect(rig.client.cancelPrompt(waiting)).resolves.toBe('canceled');
    run.start('2');
    await expect(rig.client.cancelPrompt(promptId, { pollMs: 5 })).resolves.toBe('canceled');
    await expect(rig.client.cancelPrompt(randomUUID())).resolves.toBe('not-found');
    expect(rig.sim.requests.filter(({ path }) => path.endsWith('/cancel'))).toHaveLength(3);
    expect(rig.sim.counters['POST /queue']).toBeUndefined();
  });

  it('asks for that route once where there is none', async () => {
    await using rig = await startRig();
    await rig.client.cancelPrompt(randomUUID());
    await rig.client.cancelPrompt(randomUUID());
    expect(rig.sim.requests.filter(({ path }) => path.endsWith('/cancel'))).toHaveLength(1);
  });

  it('can be given up', async () => {
    await using rig = await startRig();
    const promptId = await rig.submit();
    (await rig.sim.nextPrompt()).hang();
    const giveUp = new AbortController();
    const canceled = rig.client.cancelPrompt(promptId, { signal: giveUp.signal, pollMs: 60_000 });
    await expect.poll(() => rig.sim.counters['POST /interrupt']).toBe(1);
    giveUp.abort();
    await expect(canceled).rejects.toEqual(failing('aborted'));
  });
});
