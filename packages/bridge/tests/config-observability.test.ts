import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { parseConfig } from '../src/config/parse-config.ts';

const parse = (env: Record<string, string>) => parseConfig({ env, cwd: '/srv' });

function tracesOf(env: Record<string, string>) {
  const parsed = parse(env);
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.config.observability.traces;
}

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

test('nothing is traced until somebody says where to, nor when the standard variables say no', () => {
  expect(tracesOf({})).toBeUndefined();
  expect(tracesOf({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(tracesOf({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
  expect(tracesOf(endpoint)).toMatchObject({
    url: 'http://127.0.0.1:4318/v1/traces',
    serviceName: 'comfy-bridge',
    sampler: 'parentbased_always_on',
    ratio: 1,
  });
});

test.each([
  ['http://127.0.0.1:4318/', 'http://127.0.0.1:4318/v1/traces'],
  ['https://collector.example/otlp', 'https://collector.example/otlp/v1/traces'],
])('the path of traces is added to %s', (given, url) => {
  expect(tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: given })?.url).toBe(url);
});

test('an endpoint for traces alone is taken as it is', () => {
  const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/own' };
  expect(tracesOf({ ...endpoint, ...own })?.url).toBe('https://collector.example/own');
});

test('headers are secrets, whatever shows them', () => {
  const traces = tracesOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret' });
  expect(traces?.headers['x-key']?.reveal()).toBe('a secret');
  expect(`${JSON.stringify(traces)} ${inspect(traces, { depth: 9 })}`).not.toMatch(/a( |%20)secret/);
});

test.each([
  ['METRICS', 'maybe'],
  ['METRICS_TOKEN', 'short'],
  ['ACCESS_LOG', 'some'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:secret@collector.example'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'no pairs'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'x-key=%0Ab'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=%'],
  ['OTEL_TRACES_SAMPLER', 'sometimes'],
  ['OTEL_TRACES_SAMPLER_ARG', '2'],
  ['OTEL_TRACES_SAMPLER_ARG', 'half'],
])('%s=%s stops the start', (key, value) => {
  const parsed = parse({ [key]: value });
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) expect(parsed.problems).toEqual([expect.stringContaining(key)]);
});

test.each(['0', '1', '0.25', '.5', '1.0'])('a share of %s is one', (share) => {
  expect(tracesOf({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: share })?.ratio).toBe(Number(share));
});
