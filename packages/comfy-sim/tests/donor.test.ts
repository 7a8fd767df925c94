import { expect, test } from 'vitest';

import { startSim } from '../src/sim.ts';
import type { Sim, SimOptions } from '../src/sim.ts';

const graph = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'a' } },
};

async function call(sim: Sim, path: string, body?: unknown, token?: string) {
  const answer = await fetch(`${sim.url}${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { connection: 'close', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
  });
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
}

function start(donor: SimOptions['donor'], mode: SimOptions['mode'] = 'step'): Promise<Sim> {
  return startSim({ mode, ...(donor && { donor }) });
}

test('a stock machine knows nothing of being lent', async () => {
  await using sim = await start(undefined);
  expect((await call(sim, '/comfy-bridge/status')).status).toBe(404);
  expect((await call(sim, '/comfy-bridge/forget', {})).status).toBe(405);
  expect(() => sim.donor.pause()).toThrow(/not lent/);
});

test('a pause drops what waits, interrupts what runs and refuses what comes, until it ends', async () => {
  await using sim = await start({ maxQueue: 2 });
  for (const _ of [1, 2]) expect((await call(sim, '/prompt', { prompt: graph })).status).toBe(200);
  const run = await sim.nextPrompt();
  expect(await call(sim, '/prompt', { prompt: graph })).toMatchObject({
    status: 429,
    body: { error: { type: 'donor_queue_full' } },
  });
  const paused = await call(sim, '/api/comfy-bridge/pause', {});
  expect(paused.body).toMatchObject({ v: 1, state: 'paused', reason: 'command', until: null, maxQueue: 2 });
  expect(await run.done).toBe('interrupted');
  expect(sim.queue()).toEqual({ running: [], pending: [] });
  expect(await call(sim, '/prompt', { prompt: graph })).toMatchObject({
    status: 503,
    body: { error: { type: 'donor_paused', extra_info: { reason: 'command', until: null } } },
  });
  expect((await call(sim, '/comfy-bridge/resume', {})).body).toMatchObject({ state: 'available' });
  expect((await call(sim, '/prompt', { prompt: graph })).status).toBe(200);
});

test('without the token there is nothing at all; with it the owner’s commands stay closed', async () => {
  await using sim = await start({ token: 'secret' });
  for (const path of ['/prompt', '/comfy-bridge/status', '/nope'])
    expect(await call(sim, path)).toEqual({ status: 403, body: { error: 'forbidden' } });
  expect(sim.donor.strangers).toBe(3);
  expect((await call(sim, '/comfy-bridge/status', undefined, 'secret')).status).toBe(200);
  expect((await call(sim, '/comfy-bridge/pause', {}, 'secret')).status).toBe(403);
});

test('what a prompt made is deleted when asked for, not while it runs', async () => {
  await using sim = await start({});
  await call(sim, '/prompt', { prompt: graph, prompt_id: 'p' });
  const run = await sim.nextPrompt();
  expect((await call(sim, '/comfy-bridge/forget', { prompt_id: 'p' })).status).toBe(409);
  await run.finish({ images: 2 });
  const inputs = [{ name: 'example.png' }];
  expect((await call(sim, '/comfy-bridge/forget', { prompt_id: 'p', inputs })).body).toEqual({ deleted: 3 });
  expect([...sim.files('input'), ...sim.files('output'), ...sim.history()]).toEqual([]);
  expect((await call(sim, '/comfy-bridge/forget', { prompt_id: 'p', inputs })).body).toEqual({ deleted: 0 });
});

test('a prompt that nobody listens for and nobody names is ended', async () => {
  await using sim = await start({ orphanMs: 300 });
  await call(sim, '/prompt', { prompt: graph, prompt_id: 'p', client_id: 'nobody' });
  const run = await sim.nextPrompt();
  expect(await run.done).toBe('interrupted');
});
