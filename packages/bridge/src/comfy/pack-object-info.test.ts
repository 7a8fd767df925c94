import { expect, test } from 'vitest';

import { packObjectInfo } from './pack-object-info.ts';
import type { PackedOffer } from './pack-object-info.ts';

const node = (options: unknown[], rest: object = {}) => ({
  input: { required: { file: [options, { tooltip: 'which' }], strength: ['FLOAT', { min: 0 }] } },
  output: ['MODEL'],
  ...rest,
});

const pack = (json: unknown) =>
  packObjectInfo(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)));

function packed(json: unknown): PackedOffer {
  const outcome = pack(json);
  if (!outcome.ok) throw new Error(outcome.problem);
  return outcome.offer;
}

test('equal lists are named alike, and stored once', () => {
  const offer = packed({ A: node(['x', 'y']), B: node(['x', 'y']), C: node(['x']) });
  const [a, b, c] = offer.definitions.map(({ inputs }) => inputs.get('file')?.list);
  expect(a).toBe(b);
  expect(a).not.toBe(c);
  expect([offer.lists.size, offer.pieces.size]).toEqual([2, 2]);
});

test('the signature follows the content: not the order of the classes, not what is not read', () => {
  const before = packed({ A: node(['x']), B: node(['y']) }).signature;
  expect(packed({ B: node(['y']), A: node(['x'], { description: 'more words' }) }).signature).toBe(before);
  expect(packed({ A: node(['x']), B: node(['y', 'z']) }).signature).not.toBe(before);
  expect(packed({ A: node(['x']) }).signature).not.toBe(before);
  expect(packed({ A: node(['x']), C: node(['y']) }).signature).not.toBe(before);
});

test('another way to save a value is another content', () => {
  const seed = (options: object) => packed({ A: { input: { required: { seed: ['INT', options] } } } });
  const plain = seed({});
  expect(seed({ control_after_generate: false }).signature).not.toBe(plain.signature);
  const [definition] = seed({ control_after_generate: false }).definitions;
  expect(definition?.inputs.get('seed')?.editor).toEqual({ control: false });
});

test('what Python writes for numbers that are none is read', () => {
  expect(
    packed('{"A":{"input":{"required":{"x":["FLOAT",{"max":Infinity,"min":NaN}]}}}}').classes,
  ).toHaveLength(1);
});

test.each([
  ['{"A":', /not JSON/],
  ['', /not JSON/],
  ['['.repeat(200_000), /nested too deeply/],
  [
    `{"A":{"input":{"required":{"x":["INT",{"default":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}}}}`,
    /nested too deeply/,
  ],
  ['[]', /is none/],
  ['null', /is none/],
  ['{}', /names no node/],
  ['{"detail":"who are you"}', /names no node/],
  ['{"A":{"input":null},"B":7}', /names no node/],
])('%.20s is refused with words for the operator', (text, words) => {
  expect(pack(text)).toEqual({ ok: false, problem: expect.stringMatching(words) });
});

test('a list whose classes call themselves otherwise contradicts itself; a few that do are let be', () => {
  const named = (name: string) => node(['x'], { name });
  expect(pack({ A: named('B'), B: named('A'), C: named('C') })).toEqual({
    ok: false,
    problem: expect.stringMatching(/contradicts itself/),
  });
  expect(pack({ A: named('Z'), B: named('B'), C: node(['x']) }).ok).toBe(true);
});

test('a made-up list of a million nodes or choices is not taken', () => {
  const many = Array.from({ length: 50_001 }, (_, index) => [`N${index}`, { input: {} }]);
  expect(pack(Object.fromEntries(many)).ok).toBe(false);
  expect(pack({ A: node(Array.from({ length: 1_000_001 }, (_, index) => index)) }).ok).toBe(false);
});

test('a class that describes itself by a megabyte is left out, the others stay', () => {
  const huge = { input: { required: { x: ['STRING', { tooltip: 'x'.repeat(2_000_000) }] } } };
  expect(packed({ A: huge, B: node(['x']) }).classes.map(({ classType }) => classType)).toEqual(['B']);
});
