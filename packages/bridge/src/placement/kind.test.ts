import { expect, test } from 'vitest';

import { needsOf, offering, promptOf } from './_definitions.ts';
import { createKinds } from './kind.ts';

const fleet = offering({ Loader: { ckpt_name: { v1: ['a.ckpt', 'b.ckpt'] } } });
const needsModel = (name: string) => needsOf(promptOf(['Loader', { ckpt_name: name }]), fleet);

test('jobs of the same workflow, size and needs are one object', () => {
  const kinds = createKinds();
  const kind = kinds.intern('portrait', 20, needsModel('a.ckpt'));
  expect(kinds.intern('portrait', 20, needsModel('a.ckpt'))).toBe(kind);
  expect(kind.work).toEqual({ workflow: 'portrait', sizeClass: 20, models: ['a.ckpt'] });
});

test('another workflow, another size or other needs make another', () => {
  const kinds = createKinds();
  const all = [
    kinds.intern('portrait', 20, needsModel('a.ckpt')),
    kinds.intern('landscape', 20, needsModel('a.ckpt')),
    kinds.intern('portrait', 20.5, needsModel('a.ckpt')),
    kinds.intern('portrait', 20, needsModel('b.ckpt')),
  ];
  expect(new Set(all).size).toBe(4);
});

test('an endless stream of kinds is forgotten from time to time, and what is forgotten is made again', () => {
  const kinds = createKinds();
  const needs = needsModel('a.ckpt');
  const first = kinds.intern('0', 20, needs);
  for (let workflow = 1; workflow <= 10_000; workflow += 1) kinds.intern(String(workflow), 20, needs);
  const again = kinds.intern('0', 20, needs);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});
