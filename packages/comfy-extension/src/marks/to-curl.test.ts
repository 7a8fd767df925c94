import { execFileSync } from 'node:child_process';

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { toCurl } from './to-curl.ts';

/** What a shell hands to the program of a line. */
function argumentsOf(line: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('the line submits a job by the names of the inputs', () => {
  const line = toCurl({
    bridgeUrl: 'http://bridge:8000/base/',
    alias: 'my flow',
    values: { prompt: 'a house' },
  });
  expect(line).toBe(
    [
      `curl -sS -X POST 'http://bridge:8000/base/api/bridge/workflows/my%20flow/jobs'`,
      `-H 'Content-Type: application/json'`,
      `-d '{"inputs":{"prompt":"a house"}}'`,
    ].join(' \\\n  '),
  );
});

test('with a file name it waits and saves the picture', () => {
  const line = toCurl({ bridgeUrl: 'http://b', alias: 'a', values: {}, saveAs: "it's.png" });
  expect(argumentsOf(line)).toEqual([
    ...['-sS', '-X', 'POST', 'http://b/api/bridge/workflows/a/jobs'],
    ...['-H', 'Content-Type: application/json', '-H', 'Prefer: wait=300', '-H', 'Accept: image/*'],
    ...['-o', "it's.png", '-w', String.raw`%{http_code} %{content_type}\n`, '-d', '{"inputs":{}}'],
  ]);
});

test('no value and no alias breaks out of its quotes', () => {
  const text = fc.string({
    unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', '!', ' ', '한', 'a', '/', '..', '@'),
  });
  fc.assert(
    fc.property(text, fc.dictionary(text, text), (alias, values) => {
      const found = argumentsOf(toCurl({ bridgeUrl: 'http://b', alias, values }));
      expect(found[3]).toBe(`http://b/api/bridge/workflows/${encodeURIComponent(alias)}/jobs`);
      expect(JSON.parse(found.at(-1)!)).toEqual({ inputs: { ...values } });
    }),
    { numRuns: 40 },
  );
});
