import { expect, test } from 'vitest';

import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('a client runs a workflow over WebSocket and fetches the picture once', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=one`);
  expect(await client.next()).toEqual({
    status: 'connected',
    details: 'server connected',
    detail: 'server connected',
  });

  const answer = await t.post('/generate-based-workflow?clientId=one', {
    workflow: 'text-to-image',
    '6/text': 'a cat',
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ detail: 'queued / 1' });

  const run = await t.sim.nextPrompt();
  expect(run.prompt['6']?.inputs['text']).toBe('a cat');
  expect(run.clientId).not.toBe('one');
  run.start('3');
  run.progress(10, 20, '3');
  const progress = await client.next('progress');
  expect(progress.detail).toMatch(/^\d+\.\d\d%$/);
  await run.finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({
    details: 'Execution is done',
    detail: 'Execution is done',
  });
  expect(await client.closed).toMatchObject({ code: 1000 });

  const history = await t.get('/history?clientId=one');
  expect(history.status).toBe(200);
  expect(history.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=/);
  const form = await history.formData();
  const file = form.get('result_0');
  expect(file).toMatchObject({ type: 'image/png' });
  const again = await t.get('/history?clientId=one');
  expect(again.status).toBe(204);
  expect(t.errors).toEqual([]);
});
