import { expect, test } from 'vitest';

import { startBridge } from '../../bridge/tests/_start-bridge.ts';
import type { Group, Settled } from '../src/node.ts';
import { clientOf, readPicture, watchedFetch } from './_client.ts';

test('a list of inputs: one job each, results in the order of the list, told as they come', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const states: Group[] = [];
  const heard: [boolean, number][] = [];
  const results = await clientOf(t.url).runAll(
    'text-to-image',
    [{ prompt: 'one', seed: 1 }, { prompt: 'two' }, { prompt: 'three', seed: 3 }],
    { onProgress: (group) => states.push(group), onResult: ({ ok }, index) => heard.push([ok, index]) },
  );
  expect(results.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(states.at(-1)).toMatchObject({ status: 'succeeded', progress: 1, total: 3 });
  expect(heard.toSorted(([, a], [, b]) => a - b)).toEqual([0, 1, 2].map((index) => [true, index]));
  const texts = await Promise.all(
    results.map(async ({ job }) =>
      JSON.stringify(await (await t.get(`/api/v2/jobs/${job.id}/workflow`)).json()),
    ),
  );
  expect(texts.map((text) => /"text":"(one|two|three)"/.exec(text)?.[1])).toEqual(['one', 'two', 'three']);
  // Where an entry says nothing, the author's default counts.
  expect(texts[1]).toContain('156680208700286');
  expect(texts[2]).toContain('"seed":3');
});

test('a sweep: every combination, or side by side; a file is uploaded once', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const { fetch, requests } = watchedFetch();
  const bridge = clientOf(t.url, { fetch });
  const picture = new Blob([await readPicture()]);
  const all = await bridge.runAll('upscale', {
    picture,
    factor: [1, 1.5],
    method: { each: ['lanczos', 'area'] },
  });
  expect(all).toHaveLength(4);
  expect(requests.filter(({ path }) => path.endsWith('/assets'))).toHaveLength(1);
  const zipped = await bridge.runAll(
    'upscale',
    { picture, factor: [1, 1.5], method: ['lanczos', 'area'] },
    { combine: 'zip' },
  );
  expect(zipped.map(({ ok }) => ok)).toEqual([true, true]);
});

test('one job that fails does not keep the others from succeeding', async () => {
  await using t = await startBridge();
  const bridge = clientOf(t.url);
  const group = await bridge.submitAll('text-to-image', { seed: [1, 2] });
  const results = bridge.group(group.id).results();
  (await t.sim.nextPrompt()).fail({ message: 'no luck' });
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  const settled: Settled[] = await results;
  expect(
    settled.map((result) => (result.ok ? `${result.outputs.length} output` : result.error.code)).toSorted(),
  ).toEqual(['1 output', 'node_execution_error']);
});

test('the jobs of a batch can be followed one by one, and the batch canceled', async () => {
  await using t = await startBridge();
  const group = await clientOf(t.url).submitAll('text-to-image', [{ seed: 1 }, { seed: 2 }]);
  const [first, second] = await group.jobs();
  const run = await t.sim.nextPrompt();
  await run.finish({ images: 1 });
  expect((await first?.result())?.outputs).toHaveLength(1);
  expect((await group.refresh()).status).toMatch(/queued|running/);
  await group.cancel();
  await expect(second?.result()).rejects.toMatchObject({ code: 'canceled' });
  expect((await group.results()).map(({ ok }) => ok)).toEqual([true, false]);
});

test('entries that set nothing are jobs all the same, and one set of inputs is a batch of one', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  const bridge = clientOf(t.url);
  expect(await bridge.runAll('text-to-image', [{}, {}])).toHaveLength(2);
  expect(await bridge.runAll('text-to-image', {})).toHaveLength(1);
  expect(await bridge.runAll('text-to-image', { prompt: 'a pond' })).toHaveLength(1);
  await expect(bridge.runAll('text-to-image', [])).rejects.toMatchObject({ code: 'invalid_input' });
});

test('a batch whose answer is lost is made once', async () => {
  await using t = await startBridge({ sim: { mode: 'free', runMs: 0 } });
  let losses = 1;
  const { fetch } = watchedFetch(async ({ method }, send) => {
    const answer = await send();
    if (method !== 'POST' || losses === 0) return answer;
    losses -= 1;
    await answer.body?.cancel();
    throw new TypeError('terminated');
  });
  expect(await clientOf(t.url, { fetch }).runAll('text-to-image', { seed: [1, 2] })).toHaveLength(2);
  expect(t.sim.counters['POST /prompt']).toBe(2);
});
