import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { expect, test } from 'vitest';

import { createDefinitionPool, toOfferSource } from './definition-pool.ts';
import type { OfferSource } from './definition-pool.ts';
import { parseObjectInfo } from './object-info.ts';
import { packObjectInfo } from './pack-object-info.ts';

const loras = Array.from({ length: 3_000 }, (_, index) => `lora ${index}.safetensors`);

function info(files: readonly string[], more: object = {}) {
  const node = (list: readonly unknown[]) => ({
    input: { required: { file: [list, {}], strength: ['FLOAT', { default: 1, min: 0, max: 2 }] } },
    output: ['MODEL'],
  });
  return { Loader: node(files), Stack: node(files), Sampler: node(['euler', 'heun']), ...more };
}

function toSource(json: unknown): OfferSource {
  const packed = packObjectInfo(Buffer.from(JSON.stringify(json)));
  if (!packed.ok) throw new Error(packed.problem);
  return toOfferSource(packed.offer);
}

test('what comes out is what was put in', async () => {
  const json = info(loras);
  expect(await createDefinitionPool().unpack(toSource(json))).toEqual(parseObjectInfo(json));
});

test('backends that offer the same share one object', async () => {
  const pool = createDefinitionPool();
  const [first, second] = [
    await pool.unpack(toSource(info(loras))),
    await pool.unpack(toSource(info(loras))),
  ];
  expect(second).toBe(first);
});

test('also when they ask at the same time', async () => {
  const pool = createDefinitionPool();
  const sources = [toSource(info(loras)), toSource(info(loras))];
  const [first, second] = await Promise.all(sources.map((source) => pool.unpack(source)));
  expect(second).toBe(first);
});

test('of what differs a little, the rest is shared: classes, lists, and most pieces of a list', async () => {
  const pool = createDefinitionPool();
  const first = await pool.unpack(toSource(info(loras)));
  const before = pool.size();
  const second = await pool.unpack(toSource(info([...loras, 'one more.safetensors'])));
  expect(second.get('Sampler')).toBe(first.get('Sampler'));
  const [one, two] = [first, second].map(
    (definitions) => definitions.get('Loader')?.inputs.get('file')?.options,
  );
  expect(two).toEqual([...(one ?? []), 'one more.safetensors']);
  expect(second.get('Stack')?.inputs.get('file')?.options).toBe(two);
  const after = pool.size();
  expect([after.offers - before.offers, after.classes - before.classes, after.lists - before.lists]).toEqual([
    1, 2, 1,
  ]);
  expect(after.pieces - before.pieces).toBeLessThanOrEqual(2);
});

test('only what is not known is asked for', async () => {
  const pool = createDefinitionPool();
  await pool.unpack(toSource(info(loras)));
  const asked: number[] = [];
  const source = toSource(info(loras, { New: { input: {} } }));
  await pool.unpack({
    ...source,
    definitions: (indexes) => {
      asked.push(...indexes);
      return source.definitions(indexes);
    },
    lists: () => Promise.reject(new Error('every list is known')),
  });
  expect(asked).toEqual([3]);
});

test('what nobody uses any more is not kept', async () => {
  const pool = createDefinitionPool();
  const kept = await pool.unpack(toSource(info(['a', 'b'])));
  await pool.unpack(toSource(info(loras)));
  expect(pool.size()).toMatchObject({ offers: 2, classes: 5 });
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('cannot collect garbage');
  const size = () => Object.values(pool.size()).reduce((sum, entries) => sum + entries, 0);
  for (let round = 0; round < 50 && size() > 8; round += 1) {
    Reflect.apply(collect, undefined, []);
    await turn();
  }
  expect(pool.size()).toEqual({ offers: 1, classes: 3, lists: 2, pieces: 2 });
  expect(kept.size).toBe(3);
});
