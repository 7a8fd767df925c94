import { webhookEventSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { readGroup, readJob, readRefusal, send } from './_named.ts';
import { startBridge } from './_start-bridge.ts';
import { startEndpoint, testSecret, verifyWebhook } from './_webhook-endpoint.ts';

const env = { WEBHOOK_ALLOW: '127.0.0.1' };

test('the end of every job of a group is told to its webhook, signed', async () => {
  await using endpoint = await startEndpoint();
  await using t = await startBridge({ env });
  const webhook = { url: endpoint.url, secret: testSecret };
  const group = await readGroup(send(t, { seed: [1, 2] }, { webhook }), 201);
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  (await t.sim.nextPrompt()).fail({ nodeId: '3' });
  await endpoint.waitFor(2);
  const told = endpoint.received.map((one) => webhookEventSchema.parse(verifyWebhook(one)));
  expect(new Map(told.map(({ type, data }) => [type, data.id]))).toEqual(
    new Map([
      ['job.succeeded', group.jobs[0]?.id],
      ['job.failed', group.jobs[1]?.id],
    ]),
  );
});

test('a webhook that leads nowhere allowed is refused, and nothing runs', async () => {
  await using t = await startBridge();
  const refusal = await readRefusal(
    send(t, {}, { webhook: { url: 'http://10.0.0.1/', secret: testSecret } }),
  );
  expect(refusal).toMatchObject({
    status: 400,
    code: 'bad_request',
    message: expect.stringContaining('WEBHOOK_ALLOW'),
  });
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
});

test('of a group that was refused nothing is told', async () => {
  await using endpoint = await startEndpoint();
  await using t = await startBridge({ env: { ...env, MAX_QUEUED_JOBS: '2' } });
  const webhook = { url: endpoint.url, secret: testSecret };
  expect(await readRefusal(send(t, { seed: [1, 2, 3] }, { webhook }))).toMatchObject({ code: 'queue_full' });
  await readJob(send(t, {}, { webhook }));
  await (await t.sim.nextPrompt()).finish({ images: 1 });
  await endpoint.waitFor(1);
  expect(endpoint.received).toHaveLength(1);
});
