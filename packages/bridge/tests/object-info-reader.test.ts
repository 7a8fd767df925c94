import { Worker } from 'node:worker_threads';

import { expect, test } from 'vitest';

import { createObjectInfoReader } from '../src/comfy/object-info-reader.ts';
import { parseObjectInfo } from '../src/comfy/object-info.ts';
import { spawnObjectInfoWorker } from '../src/comfy/object-info-thread.ts';

function info(files: number, classes = 300) {
  const list = Array.from({ length: files }, (_, index) => `folder ${index % 9}/file ${index}.safetensors`);
  const node = (index: number) => ({
    input: {
      required: {
        strength: ['FLOAT', { default: 1, min: 0, max: 2, tooltip: `How much of ${index} there is.` }],
        ...(index < 5 && { file: [index % 2 === 0 ? list : ['None', ...list], {}] }),
      },
    },
    output: ['MODEL', ['a', 'b']],
    display_name: `Node ${index}`,
  });
  return Object.fromEntries(Array.from({ length: classes }, (_, index) => [`Node${index}`, node(index)]));
}

function toBody(json: unknown) {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const blocks = [];
  for (let from = 0; from < bytes.length; from += 100_000)
    blocks.push(new Uint8Array(bytes.subarray(from, from + 100_000)));
  return { blocks, size: bytes.length };
}

/** Everything goes through the thread. */
const there = { inProcessBytes: 0 };

test.each([
  ['in a thread', there],
  ['at once', { inProcessBytes: Number.POSITIVE_INFINITY }],
])('%s: reads what parsing the whole would give, and what is the same only once', async (_how, options) => {
  await using reader = createObjectInfoReader(options);
  const json = info(2_000);
  const first = await reader.read(toBody(json), undefined);
  if (first.kind !== 'read') throw new Error(first.kind);
  expect(first.definitions).toEqual(parseObjectInfo(json));
  expect(await reader.read(toBody(json), first.bodyHash)).toEqual({ kind: 'same' });
  const again = await reader.read(toBody(JSON.stringify(json, null, 1)), first.bodyHash);
  expect(again.kind === 'read' && again.definitions).toBe(first.definitions);
});

test('in a thread and at once the signature is the same', async () => {
  await using reader = createObjectInfoReader(there);
  await using other = createObjectInfoReader();
  const json = info(5, 10);
  const outcomes = [await reader.read(toBody(json), undefined), await other.read(toBody(json), undefined)];
  const [first, second] = outcomes.map((outcome) =>
    outcome.kind === 'read' ? outcome.signature : outcome.kind,
  );
  expect(first).toBe(second);
});

test('many at once are read one after the other', async () => {
  await using reader = createObjectInfoReader(there);
  const jsons = [10, 20, 30, 40].map((files) => info(files, 20));
  const outcomes = await Promise.all(jsons.map((json) => reader.read(toBody(json), undefined)));
  for (const [index, outcome] of outcomes.entries())
    expect(outcome.kind === 'read' && outcome.definitions).toEqual(parseObjectInfo(jsons[index]));
});

test('nonsense is told in words, and the next one is read', async () => {
  await using reader = createObjectInfoReader(there);
  expect(await reader.read(toBody('{"a":'), undefined)).toMatchObject({ kind: 'unusable' });
  expect(await reader.read(toBody('['.repeat(300_000)), undefined)).toMatchObject({ kind: 'unusable' });
  expect(await reader.read(toBody(info(3)), undefined)).toMatchObject({ kind: 'read' });
});

test('one that takes all memory costs the thread and not the bridge; the next one is read', async () => {
  let threads = 0;
  await using reader = createObjectInfoReader({
    ...there,
    spawn: () => {
      threads += 1;
      if (threads > 1) return spawnObjectInfoWorker();
      const file = new URL('../src/comfy/object-info-worker.ts', import.meta.url);
      return new Worker(file, {
        resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
      });
    },
  });
  const bomb = `{"A":${'[],'.repeat(2_000_000).replace(/^/, '[').replace(/,$/, ']')}}`;
  expect(await reader.read(toBody(bomb), undefined)).toMatchObject({ kind: 'unusable' });
  expect(await reader.read(toBody(info(3)), undefined)).toMatchObject({ kind: 'read' });
  expect(threads).toBe(2);
});

test('a thread that never answers is given up', async () => {
  let threads = 0;
  await using reader = createObjectInfoReader({
    ...there,
    deadlineMs: 500,
    spawn: () => {
      threads += 1;
      return threads > 1
        ? spawnObjectInfoWorker()
        : new Worker('setInterval(() => {}, 1000)', { eval: true });
    },
  });
  expect(await reader.read(toBody(info(3)), undefined)).toMatchObject({ kind: 'unusable' });
  expect(await reader.read(toBody(info(3)), undefined)).toMatchObject({ kind: 'read' });
});

test('a thread without work is ended, and another one started when there is some', async () => {
  const exits: Promise<unknown>[] = [];
  await using reader = createObjectInfoReader({
    ...there,
    idleMs: 5,
    spawn: () => {
      const worker = spawnObjectInfoWorker();
      exits.push(new Promise((resolve) => worker.once('exit', resolve)));
      return worker;
    },
  });
  expect(await reader.read(toBody(info(3)), undefined)).toMatchObject({ kind: 'read' });
  await exits[0];
  expect(await reader.read(toBody(info(4)), undefined)).toMatchObject({ kind: 'read' });
  expect(exits).toHaveLength(2);
});

test('closing ends what is under way', async () => {
  const reader = createObjectInfoReader(there);
  const reading = reader.read(toBody(info(2_000)), undefined);
  await reader[Symbol.asyncDispose]();
  expect(await reading).toMatchObject({ kind: 'unusable' });
  expect(await reader.read(toBody(info(1)), undefined)).toMatchObject({ kind: 'unusable' });
});
