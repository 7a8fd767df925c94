import { expect, test } from 'vitest';

import { mp3 } from './_files-fixtures.ts';
import { picture } from './_files-fixtures.ts';
import { readJob, readRefusal, send } from './_named.ts';
import { parseBody, uploadOne } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

async function promptOf(t: TestBridge, answer: Promise<Response>) {
  const { id } = await readJob(answer);
  const job = [...t.bridge.ledger.unfinished()].find((unfinished) => unfinished.id === id);
  if (job === undefined) throw new Error('the job has ended');
  return job.prompt;
}

test.each([
  ['name', 'negative_prompt'],
  ['label', 'Negative prompt'],
  ['key', '7/text'],
])('an input is set by its %s', async (_how, given) => {
  await using t = await startBridge();
  const prompt = await promptOf(t, send(t, { [given]: 'blurry' }));
  expect(prompt['7']?.inputs['text']).toBe('blurry');
});

test('what is left out or null keeps the default; no body at all but {} is a run with all of them', async () => {
  await using t = await startBridge();
  const prompt = await promptOf(t, send(t, { seed: 5, steps: null }));
  expect(prompt['3']?.inputs).toMatchObject({ seed: 5, steps: 20, cfg: 8 });
  expect((await promptOf(t, send(t, undefined)))['3']?.inputs).toMatchObject({ seed: 156680208700286 });
});

test('the answer is the official job, at the place that Location says', async () => {
  await using t = await startBridge();
  const answer = await send(t, { prompt: 'a lighthouse' });
  const job = await readJob(answer);
  expect(job).toMatchObject({ status: 'queued', outputs: [], error: null });
  expect(answer.headers.get('location')).toBe(`/api/v2/jobs/${job.id}`);
  expect((await readJob(t.get(`/api/v2/jobs/${job.id}`), 200)).id).toBe(job.id);
});

test('a 64-bit seed arrives digit for digit', async () => {
  await using t = await startBridge();
  const answer = await t.post(
    '/api/bridge/workflows/text-to-image/jobs',
    '{"inputs": {"seed": 18446744073709551615, "steps": "7"}}',
  );
  const prompt = await promptOf(t, Promise.resolve(answer));
  expect(prompt['3']?.inputs).toMatchObject({ seed: 18446744073709551615n, steps: 7 });
});

test('all that is wrong is told at once, by the names that the caller used', async () => {
  await using t = await startBridge();
  const refusal = await readRefusal(send(t, { Steps: 0, '3/cfg': 'much', seed: -1, width: [64, 99_999] }));
  expect(refusal).toMatchObject({ status: 400, code: 'invalid_input' });
  expect(refusal.details).toEqual({
    inputs: {
      Steps: 'must be a whole number from 1 to 60, not 0',
      '3/cfg': 'must be a number from 1 to 20, not "much"',
      seed: 'must be a whole number from 0 to 18446744073709551615, not -1',
      width: 'must be a whole number from 64 to 1024, not 99999',
    },
  });
});

test.each([
  [
    'an unknown name',
    { inputs: { promt: 'x' } },
    'invalid_input',
    /"promt" is not an input .*"prompt" is meant\?/,
  ],
  ['one input twice', { inputs: { prompt: 'x', Prompt: 'y' } }, 'invalid_input', /same input as "prompt"/],
  [
    'an object as a value',
    { inputs: { prompt: { text: 'x' } } },
    'invalid_input',
    /must be text, not an object/,
  ],
  ['values beside inputs', { prompt: 'x' }, 'bad_request', /Unrecognized key: "prompt"/],
  ['inputs as a list', { inputs: ['x'] }, 'bad_request', /^inputs: /],
  ['an unknown combination', { inputs: {}, combine: 'some' }, 'bad_request', /^combine: /],
  ['a wrong kind of previews', { previews: 'yes' }, 'bad_request', /^previews: /],
  ['no object at all', [], 'bad_request', /not a JSON object/],
  ['a webhook that is none', { webhook: { url: 5 } }, 'bad_request', /^webhook.url: /],
])('%s is refused', async (_what, body, code, message) => {
  await using t = await startBridge();
  const refusal = await readRefusal(t.post('/api/bridge/workflows/text-to-image/jobs', body));
  expect(refusal).toMatchObject({ status: 400, code, message: expect.stringMatching(message) });
  expect([...t.bridge.ledger.unfinished()]).toEqual([]);
});

test('an uploaded file is named by what the upload answered, and is staged', async () => {
  await using t = await startBridge();
  const savedName = await uploadOne(t, await picture().png().toBuffer());
  await readJob(send(t, { image: savedName }, { workflow: 'image-to-image' }));
  const [job] = t.bridge.ledger.unfinished();
  expect(job?.stagedInputs).toEqual([
    { nodeId: '10', inputName: 'image', source: { kind: 'upload', savedName } },
  ]);
});

test('a file that is not there, or of another kind, is refused', async () => {
  await using t = await startBridge();
  const sound = await uploadOne(t, mp3(), 'cat.mp3');
  const wrong = await readRefusal(send(t, { image: sound }, { workflow: 'image-to-image' }));
  expect(wrong).toMatchObject({
    code: 'invalid_input',
    details: { inputs: { image: 'must be a file of kind image, not audio/mpeg' } },
  });
  const gone = 'd02302bd-c920-4608-a17a-22e2008f47c4.png';
  const missing = await readRefusal(send(t, { image: gone }, { workflow: 'image-to-image' }));
  expect(missing.details).toEqual({ inputs: { image: expect.stringContaining('was not uploaded') } });
});

test.each([
  ['its id', (id: string) => id],
  ['an object', (id: string) => ({ asset: id })],
  ['the reference of a graph', (id: string) => ({ __type: 'core/ASSET', info: { id } })],
])('an asset can be named by %s', async (_how, toValue) => {
  await using t = await startBridge();
  const form = new FormData();
  form.append(
    'file',
    new Blob([Uint8Array.from(await picture().png().toBuffer())], { type: 'image/png' }),
    'a.png',
  );
  const { id } = await parseBody<{ id: string }>(t.post('/api/v2/assets', undefined, { body: form }));
  await readJob(send(t, { Image: toValue(id) }, { workflow: 'image-to-image' }));
  const [job] = t.bridge.ledger.unfinished();
  expect(job?.stagedInputs).toEqual([
    {
      nodeId: '10',
      inputName: 'image',
      source: { kind: 'upload', savedName: expect.any(String), assetId: id },
    },
  ]);
});

test('an asset that is not there is refused, and says for which input', async () => {
  await using t = await startBridge();
  const id = 'd02302bd-c920-4608-a17a-22e2008f47c4';
  const refusal = await readRefusal(send(t, { image: { asset: id } }, { workflow: 'image-to-image' }));
  expect(refusal).toMatchObject({
    status: 422,
    code: 'missing_asset',
    details: { inputs: { image: `there is no asset ${id} (any more): upload the image again` } },
  });
});

test('when no machine can run it, that is told and nothing waits', async () => {
  await using t = await startBridge({ sim: { models: { checkpoints: [] } } });
  expect(await readRefusal(send(t, {}))).toMatchObject({ status: 503, code: 'no_capable_backend' });
});

test('priority and previews are the job’s', async () => {
  await using t = await startBridge();
  await readJob(send(t, {}, { headers: { priority: 'u=6' }, previews: true }));
  const [job] = t.bridge.ledger.unfinished();
  expect(job).toMatchObject({ priority: -3, previews: true, clientId: null, workflow: 'text-to-image' });
});

test('a repeat with the same key and body answers the same job; another body is refused', async () => {
  await using t = await startBridge();
  const headers = { 'idempotency-key': 'one' };
  const first = await readJob(send(t, { seed: 1 }, { headers }));
  const again = await send(t, { seed: 1 }, { headers });
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect((await readJob(again, 200)).id).toBe(first.id);
  expect(await readRefusal(send(t, { seed: 2 }, { headers }))).toMatchObject({
    status: 422,
    code: 'idempotency_key_reuse',
  });
  expect([...t.bridge.ledger.unfinished()]).toHaveLength(1);
});

test('a key of a refused request can be used again', async () => {
  await using t = await startBridge();
  const headers = { 'idempotency-key': 'one' };
  expect(await readRefusal(send(t, { steps: 0 }, { headers }))).toMatchObject({ status: 400 });
  await readJob(send(t, { steps: 1 }, { headers }));
});
