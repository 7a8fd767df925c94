import { isRecord } from '../src/lib/is-record.ts';
import { mutate } from './_mutate.ts';
import type { Random } from './_mutate.ts';

/** What no client may ever see of a machine. */
export const secrets = [
  '/home/owner/ComfyUI/custom_nodes/x/nodes.py',
  'C:\\Users\\owner\\ComfyUI\\main.py',
  'http://10.0.0.7:8188/api',
  '10.0.0.7:8188',
  'Traceback (most recent call last):\n  File "/home/owner/ComfyUI/execution.py", line 12, in run\n    raise Exception\n',
] as const;
export const secretPattern = /\/home\/owner|Users\\+owner|10\.0\.0\.7|Traceback|execution\.py/;

const strangeKeys = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '0',
  'prompt_id',
  'type',
  'data',
  'status',
  'outputs',
];
const strangeValues: readonly (() => unknown)[] = [
  ...[null, true, false, 0, -1, 1, 0.5, 1e308, -1e308, 2 ** 53, 2 ** 31].map((value) => () => value),
  ...['', 'x', '\u0000', '\ud800', '5', 'NaN', '../../etc/passwd', 'a'.repeat(5_000), ...secrets].map(
    (value) => () => value,
  ),
  () => [],
  () => ({}),
  () => [[[]]],
  () => nested(40),
  () => nested(3_000),
  () => Array.from({ length: 2_000 }, (_, index) => index),
  () => ({ filename: '/home/owner/ComfyUI/x.png', subfolder: '../..', type: 'output' }),
];

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** The value with one to three places that are others, less or more. The first is left as it is. */
export function mutateJson(value: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(value);
  let changed = copy;
  for (let times = 1 + random.int(3); times > 0; times--) changed = changeOnce(changed, random);
  return changed;
}

function changeOnce(value: unknown, random: Random): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  // The deeper the rarer would leave the leaves alone.
  if (keys.length === 0 || random.int(12) === 0) return random.pick(strangeValues)();
  const key = random.pick(keys);
  if (Array.isArray(value)) {
    const at = Number(key);
    const how = random.int(8);
    if (how === 0) return value.toSpliced(at, 1);
    if (how === 1) return value.toSpliced(at, 0, value[at]);
    return value.with(at, changeOnce(value[at], random));
  }
  if (!isRecord(value)) return value;
  const how = random.int(10);
  const entries = Object.entries(value);
  if (how === 0) return Object.fromEntries(entries.filter(([name]) => name !== key));
  if (how === 1)
    return JSON.parse(
      `{${JSON.stringify(random.pick(strangeKeys))}: ${JSON.stringify(random.pick(strangeValues)())}}`,
    );
  if (how === 2)
    return Object.fromEntries([
      ...entries,
      [random.pick([...strangeKeys, ...secrets]), random.pick(strangeValues)()],
    ]);
  return Object.fromEntries(
    entries.map(([name, each]) => [name, name === key ? changeOnce(each, random) : each]),
  );
}

/** As text: changed as a value, byte by byte, or with numbers that only Python writes. */
export function mutateText(json: unknown, random: Random): Buffer {
  const how = random.int(7);
  const text = JSON.stringify(how < 4 || how === 6 ? mutateJson(json, random) : json) ?? '';
  if (how === 4)
    return Buffer.from(text.replace(/\d+(?=[,\]}])/, random.pick(['NaN', 'Infinity', '-Infinity', '1e999'])));
  // Deeper than anything that walks by calling itself can go; only sometimes, as it takes long.
  if (how === 6 && random.int(20) === 0) {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const values = text.split(/(?<=":)(?=[\d"])/);
    const at = random.int(values.length);
    return Buffer.from(
      values
        .map((value, index) => (index === at && at > 0 ? value.replace(/^("[^"]*"|\d+)/, deep) : value))
        .join(''),
    );
  }
  if (how === 5 && text.length < 100_000) return mutate(Buffer.from(text), random, [Buffer.from(text)]);
  return Buffer.from(text);
}
