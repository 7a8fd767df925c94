import {
  array,
  assert,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  oneof,
  property,
  string,
} from 'fast-check';
import { describe, expect, test } from 'vitest';

import { isRecord } from '../../lib/is-record.ts';
import { expandSweep } from './expand-sweep.ts';

const product = { combine: 'product', maxJobs: 1_000 } as const;
const zip = { combine: 'zip', maxJobs: 1_000 } as const;

test('without a list it is one job, and no group', () => {
  const values = { a: 1, b: { asset: 'x' }, c: 'y' };
  expect(expandSweep(values, product)).toEqual({ ok: true, kind: 'single', values });
});

test('an input is kept whatever its name is', () => {
  const values: Record<string, unknown> = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');
  const expanded = expandSweep(values, product);
  expect(expanded.ok && expanded.kind === 'single' && Object.entries(expanded.values)).toEqual([
    ['__proto__', { a: 1 }],
    ['constructor', 2],
  ]);
});

test('a list of one value is a group of one', () => {
  expect(expandSweep({ a: [1], b: 2 }, product)).toEqual({
    ok: true,
    kind: 'group',
    values: [{ a: 1, b: 2 }],
  });
});

test('every combination, the last list changing fastest', () => {
  const expanded = expandSweep({ a: { each: [1, 2] }, b: 'x', c: ['p', 'q'] }, product);
  expect(expanded.ok && expanded.values).toEqual([
    { a: 1, b: 'x', c: 'p' },
    { a: 1, b: 'x', c: 'q' },
    { a: 2, b: 'x', c: 'p' },
    { a: 2, b: 'x', c: 'q' },
  ]);
});

test('side by side', () => {
  const expanded = expandSweep({ a: [1, 2], b: 'x', c: ['p', 'q'] }, zip);
  expect(expanded.ok && expanded.values).toEqual([
    { a: 1, b: 'x', c: 'p' },
    { a: 2, b: 'x', c: 'q' },
  ]);
});

test('null in a list leaves the input out of that job', () => {
  const expanded = expandSweep({ a: [null, 2] }, product);
  expect(expanded.ok && expanded.values).toEqual([{}, { a: 2 }]);
});

test('an object that is more than a list is a value like others', () => {
  expect(expandSweep({ a: { each: [1], other: 2 }, b: { each: 'x' } }, product)).toMatchObject({
    kind: 'single',
  });
});

describe('refused are', () => {
  test('empty lists', () => {
    expect(expandSweep({ a: [], b: [1], c: { each: [] } }, product)).toEqual({
      ok: false,
      problems: [
        { key: 'a', message: 'is an empty list: no job would run' },
        { key: 'c', message: 'is an empty list: no job would run' },
      ],
    });
  });

  test('lists of unequal length side by side', () => {
    expect(expandSweep({ a: [1, 2], b: [1, 2, 3] }, zip)).toEqual({
      ok: false,
      problems: [
        {
          key: 'a',
          message: 'is a list of 2 where another has 3: with "combine": "zip" all lists are equally long',
        },
      ],
    });
  });

  test('more jobs than are allowed, before any is made', () => {
    const long = Array.from({ length: 900 }, (_, index) => index);
    expect(expandSweep({ a: long, b: long, c: long }, product)).toEqual({
      ok: false,
      problems: [
        {
          key: 'a',
          message:
            'makes 729000000 jobs together with the other lists: at most 1000 can be submitted at once',
        },
      ],
    });
    expect(expandSweep({ a: long }, { ...product, maxJobs: 899 })).toMatchObject({ ok: false });
    expect(expandSweep({ a: long }, { ...product, maxJobs: 900 })).toMatchObject({ ok: true });
  });
});

const maxJobs = 20;
const lists = array(oneof(integer(), string(), constantFrom(null)), { maxLength: 6 });
const values = dictionary(
  string(),
  oneof(
    jsonValue(),
    lists,
    lists.map((each) => ({ each })),
  ),
  { maxKeys: 5 },
);
const isList = (value: unknown) =>
  Array.isArray(value) ||
  (isRecord(value) && Object.keys(value).length === 1 && Array.isArray(value['each']));
const lengthOf = (value: unknown) => (isRecord(value) ? value['each'] : value) as unknown[];

test('whatever is sent: never more jobs than allowed, as many as the lists say, and each with all that is fixed', () => {
  assert(
    property(values, constantFrom('product' as const, 'zip' as const), (sent, combine) => {
      const expanded = expandSweep(sent, { combine, maxJobs });
      const lengths = Object.values(sent)
        .filter(isList)
        .map((value) => lengthOf(value).length);
      if (!expanded.ok) {
        expect(expanded.problems.length).toBeGreaterThan(0);
        return;
      }
      const sets = expanded.kind === 'single' ? [expanded.values] : expanded.values;
      expect(expanded.kind).toBe(lengths.length === 0 ? 'single' : 'group');
      expect(sets.length).toBeLessThanOrEqual(maxJobs);
      expect(sets).toHaveLength(
        combine === 'zip' ? (lengths[0] ?? 1) : lengths.reduce((all, length) => all * length, 1),
      );
      for (const [index, set] of sets.entries()) {
        for (const [key, value] of Object.entries(sent)) {
          // Names such as valueOf are in every object.
          const own = Object.hasOwn(set, key) ? set[key] : null;
          if (!isList(value)) expect(own).toBe(value);
          else if (combine === 'zip') expect(own).toBe(lengthOf(value)[index]);
          else expect(lengthOf(value)).toContain(own);
        }
        expect(Object.keys(set).every((key) => Object.hasOwn(sent, key))).toBe(true);
      }
    }),
  );
});

test('every combination is there as often as its values are in the lists', () => {
  const short = array(integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 });
  assert(
    property(short, short, (a, b) => {
      const expanded = expandSweep({ a, b }, { combine: 'product', maxJobs: 16 });
      const pairs = a.flatMap((one) => b.map((other) => ({ a: one, b: other })));
      expect(expanded.ok && expanded.values).toEqual(pairs);
    }),
  );
});
