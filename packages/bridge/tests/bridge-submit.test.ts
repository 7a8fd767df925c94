import { v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { expectNoSecrets } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { startEndpoint, testSecret, verifyWebhook } from './_webhook-endpoint.ts';

const graph = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 7 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'mine' } },
};

/** The same as the editor saves it. */
const saved = {
  nodes: [
    {
      ...{ id: 1, type: 'EmptyImage', mode: 0, inputs: [], properties: {} },
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      widgets_values: [64, 64, 1, 7],
    },
    {
      ...{ id: 2, type: 'SaveImage', mode: 0, outputs: [], properties: {} },
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      widgets_values: ['mine'],
    },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
  version: 0.4,
};

const free = { mode: 'free', runMs: 0 } as const;
const post = (t: TestBridge, body: unknown, headers: Record<string, string> = {}) =>
  t.post('/api/bridge/jobs', body, { headers });

test('what the editor saves runs, converted exactly', async () => {
  await using t = await startBridge();
  const job = v2JobSchema.parse(await (await post(t, { workflow: saved })).json());
  const run = await t.sim.nextPrompt();
  expect(run.prompt).toMatchObject(graph);
  await run.finish({ images: 1 });
  const shown = await (await t.get(`/api/v2/jobs/${job.id}/workflow`)).json();
  expect(shown).toMatchObject({ format: 'api', workflow: graph });
});

test('what cannot be converted exactly is refused with every reason', async () => {
  await using t = await startBridge();
  const [first, second] = saved.nodes;
  const unknown = {
    ...saved,
    nodes: [
      { ...first, type: 'NoSuchNode' },
      { ...second, type: 'NorThisOne' },
    ],
  };
  const answer = await post(t, { workflow: unknown });
  expect(answer.status).toBe(422);
  const text = await answer.text();
  expectNoSecrets(text);
  expect(JSON.parse(text)).toMatchObject({
    error: { code: 'invalid_workflow', details: { reasons: [{}, {}].map(() => expect.any(String)) } },
  });
});

test('a repeat with the same key is answered with the first job; another body is refused', async () => {
  await using t = await startBridge({ sim: free });
  const headers = { 'idempotency-key': 'one' };
  const both = await Promise.all([
    post(t, { workflow: graph }, headers),
    post(t, { workflow: graph }, headers),
  ]);
  const first = both.find(({ status }) => status === 201);
  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)[0]).toBeLessThan(202);
  const { id } = v2JobSchema.parse(await first?.json());
  const again = await post(t, { workflow: graph }, headers);
  expect(again.status).toBe(200);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(v2JobSchema.parse(await again.json()).id).toBe(id);
  const other = await post(t, { workflow: saved }, headers);
  expect(other.status).toBe(422);
  expect(await other.text()).toContain('idempotency_key_reuse');
  expect(t.sim.counters['POST /prompt']).toBe(1);
});

test('the end is told to a webhook, signed', async () => {
  await using endpoint = await startEndpoint();
  await using t = await startBridge({ sim: free, env: { WEBHOOK_ALLOW: '127.0.0.1' } });
  const webhook = { url: endpoint.url, secret: testSecret };
  const { id } = v2JobSchema.parse(await (await post(t, { workflow: graph, webhook })).json());
  await endpoint.waitFor(1);
  const [delivery] = endpoint.received;
  if (delivery === undefined) throw new Error('nothing came');
  expect(verifyWebhook(delivery)).toMatchObject({
    type: 'job.succeeded',
    data: { id, status: 'succeeded', outputs: [{ url: expect.stringContaining(t.url) }] },
  });
  const inside = { url: 'http://169.254.169.254/', secret: testSecret };
  expect((await post(t, { workflow: graph, webhook: inside })).status).toBe(400);
  expect(t.sim.counters['POST /prompt']).toBe(1);
});

test('a caller from elsewhere runs published workflows only', async () => {
  await using t = await startBridge();
  const answer = await post(t, { workflow: graph }, { 'x-forwarded-for': '192.0.2.7' });
  expect(answer.status).toBe(403);
});
