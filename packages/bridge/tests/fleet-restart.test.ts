import { expect, test } from 'vitest';

import { openSqliteJobStore } from '../src/jobs/sqlite/job-store.ts';
import { fleetApi } from './_fleet-api.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { nameAll, startWorld } from './_world.ts';
import type { World } from './_world.ts';

/** A process that has only the first ComfyUI in its configuration. */
function startWithFirst(world: World) {
  return world.start({ env: { COMFYUI_SERVERS: nameAll(world.sims.slice(0, 1)) } });
}

/** What is kept of the fleet, while no bridge runs. */
async function openRecords(dataDir: string) {
  return openSqliteJobStore(`${dataDir}/bridge.sqlite`);
}

test('what was added and set over the API is there after a restart, and a job on it is followed to its end', async () => {
  await using world = await startWorld(2);
  const [, second] = world.sims;
  {
    await using t = await startWithFirst(world);
    const api = fleetApi(t);
    await api.change('a', { weight: 2, tags: ['slow', 'slow'], workflows: ['upscale'], mode: 'draining' });
    await api.add({ url: second?.address, name: 'added', token: 'a-token', tags: ['fast'], weight: 0.5 });
    await submit(t, 'one', {});
    await second?.nextPrompt();
  }
  await using t = await startWithFirst(world);
  const api = fleetApi(t);
  expect(await api.get('a')).toMatchObject({
    ...{ status: 'draining', source: 'config', weight: 2, tags: ['slow'], workflows: ['upscale'] },
  });
  expect(await api.get('added')).toMatchObject({
    ...{ source: 'api', weight: 0.5, tags: ['fast'], workflows: null, jobs: [{ workflow: 'text-to-image' }] },
  });
  expect(t.bridge.fleet.find('added')?.endpoint.token).toBe('a-token');
  await expect.poll(() => second?.queue().running.length).toBe(1);
  expect(second?.counters['POST /prompt']).toBe(1);
  expect(t.errors).toEqual([]);
});

test('one that was leaving when the bridge stopped leaves after the restart, when its job is done', async () => {
  await using world = await startWorld(2);
  const [, second] = world.sims;
  let run;
  {
    await using t = await startWithFirst(world);
    const api = fleetApi(t);
    await api.send('POST', '/a/drain');
    await api.add({ url: second?.address, name: 'added' });
    await submit(t, 'one');
    run = await second?.nextPrompt();
    await api.leave('added');
  }
  {
    await using t = await startWithFirst(world);
    expect(await fleetApi(t).get('added')).toMatchObject({ status: 'leaving', jobs: [{}] });
    const removed = t.nextEvent('backend:removed');
    await run?.finish({ images: 1 });
    expect(await ended(t, 'one')).toMatchObject({ attempt: 1, state: { status: 'succeeded' } });
    await removed;
  }
  {
    await using store = await openRecords(world.dataDir);
    expect([...(await store.readRecords('backends')).keys()]).toEqual(['a']);
  }
  await using t = await startWithFirst(world);
  expect((await fleetApi(t).list()).map(({ name }) => name)).toEqual(['a']);
});

test('one that was paused takes back after the restart what had not begun there', async () => {
  await using world = await startWorld(2);
  const [first, second] = world.sims;
  const foreign = first?.addForeignPrompt();
  {
    await using t = await startWithFirst(world);
    await submit(t, 'waits');
    await expect.poll(() => first?.queue().pending.length).toBe(1);
  }
  const store = await openRecords(world.dataDir);
  await store.writeRecords('backends', new Map([['a', '{"mode":"paused"}']]));
  await store[Symbol.asyncDispose]();
  await using t = await world.start();
  await (await second?.nextPrompt())?.finish({ images: 1 });
  expect(await ended(t, 'waits')).toMatchObject({
    attempts: [
      { backend: 'a', outcome: 'moved' },
      { backend: 'b', outcome: 'succeeded' },
    ],
  });
  await foreign?.finish();
});

test('a configured one that was removed is back at the next start, with its settings', async () => {
  await using world = await startWorld(2);
  {
    await using t = await world.start();
    await fleetApi(t).change('a', { tags: ['kept'] });
    const removed = t.nextEvent('backend:removed');
    expect(await fleetApi(t).leave('a')).toMatchObject({ returns_at_next_start: true });
    await removed;
  }
  await using t = await world.start();
  expect(await fleetApi(t).get('a')).toMatchObject({ status: 'ready', mode: 'active', tags: ['kept'] });
});

test('a damaged record costs that backend alone, and its text is not logged', async () => {
  await using world = await startWorld(2);
  const store = await openRecords(world.dataDir);
  await store.writeRecords(
    'backends',
    new Map([
      ['a', '{"weight": 7000}'],
      ['b', '{"weight": 3, "tags": ["kept"], "somethingLater": 1}'],
      ['cut', '{"url": "http://127.0.0.1:1", "token": "secret-of-a-pr'],
      ['no-url', '{"url": "http://127.0.0.1:1/?token=secret-of-a-pr"}'],
      ['gone', '{"weight": 2}'],
      ['no name', '{"url": "http://127.0.0.1:1"}'],
    ]),
  );
  await store.writeRecords(
    'workflow-requirements',
    new Map([
      ['text-to-image', '[]'],
      ['upscale', '{"tags":["x"]}'],
    ]),
  );
  await store[Symbol.asyncDispose]();
  await using t = await world.start();
  expect(await fleetApi(t).list()).toMatchObject([
    { name: 'a', weight: 1 },
    { name: 'b', weight: 3, tags: ['kept'] },
  ]);
  expect(await parseBody(t.get('/api/bridge/workflows/text-to-image/requirements'))).toMatchObject({
    tags: [],
  });
  expect(t.errors).toHaveLength(5);
  expect(t.errors.join()).toMatch(/damaged/);
  expect(t.errors.join()).not.toContain('secret-of-a-pr');
});

test('a name or an address that is in the configuration now keeps the address of the configuration', async () => {
  await using world = await startWorld(2);
  const [first, second] = world.sims;
  const store = await openRecords(world.dataDir);
  await store.writeRecords(
    'backends',
    new Map([
      ['a', JSON.stringify({ url: 'http://127.0.0.1:1', token: 'for-another', tags: ['x'] })],
      ['other', JSON.stringify({ url: second?.url })],
    ]),
  );
  await store[Symbol.asyncDispose]();
  await using t = await world.start();
  expect(await fleetApi(t).list()).toMatchObject([
    { name: 'a', tags: ['x'], address: first?.address, source: 'config' },
    { name: 'b', address: second?.address },
  ]);
  expect(t.bridge.fleet.find('a')?.endpoint.token).toBeUndefined();
});
