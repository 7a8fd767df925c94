import { anything, assert, constantFrom, jsonValue, nat, oneof, property, record, tuple } from 'fast-check';
import { expect, test } from 'vitest';

import { findFixtureDefinition, readUiFixture, uiFixtures } from '../fixtures/ui-fixtures.ts';
import { convertUiWorkflow } from './convert-ui-workflow.ts';

const convert = (workflow: unknown) => convertUiWorkflow(workflow, { findDefinition: findFixtureDefinition });

/** Frozen all the way down, so that whoever changes it throws. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

/** Answers the same for the same, changes nothing, and says why when it cannot. */
function holds(workflow: unknown): void {
  const converted = convert(freeze(workflow));
  expect(convert(workflow)).toEqual(converted);
  if (!converted.ok) {
    expect(converted.reasons.length).toBeGreaterThan(0);
    expect(converted.reasons.length).toBeLessThanOrEqual(100);
    for (const reason of converted.reasons) expect(reason).toMatch(/^[^\n]{10,1000}$/);
    return;
  }
  for (const node of Object.values(converted.prompt))
    for (const value of Object.values(node.inputs)) {
      expect(value).toBeDefined();
      if (Array.isArray(value)) expect(converted.prompt).toHaveProperty([String(value[0])]);
    }
}

test('any JSON is converted or refused with reasons', () => {
  assert(property(jsonValue(), holds));
  assert(property(anything(), holds));
  const list = jsonValue();
  assert(
    property(record({ nodes: list, links: list, definitions: list, version: constantFrom(0.4, 1) }), holds),
  );
});

/** Every place in a JSON value, as the keys that lead to it. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => placesIn(item, [...path, key]))];
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, at) => (String(at) === key ? replaceAt(item, rest, replacement) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      name === key ? replaceAt(item, rest, replacement) : item,
    ]),
  );
}

const replacement = oneof(
  jsonValue(),
  nat({ max: 40 }),
  constantFrom<unknown>(
    2,
    4,
    -10,
    -20,
    null,
    '*',
    [],
    {},
    'Reroute',
    'PrimitiveNode',
    'SetNode',
    'workflow>a',
    '__proto__',
  ),
);

test.each(uiFixtures)(
  '%s with anything in some of its places is converted or refused with reasons',
  (name) => {
    const places = placesIn(readUiFixture(name));
    const changes = tuple(nat({ max: places.length - 1 }), replacement);
    assert(
      property(tuple(changes, changes), (both) => {
        let workflow: unknown = readUiFixture(name);
        for (const [at, instead] of both) workflow = replaceAt(workflow, places[at] ?? [], instead);
        holds(workflow);
      }),
      { numRuns: 150 },
    );
  },
);
