import { expect, test } from 'vitest';

import { detailOf, ended, rawConnection, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';
import { openSocket } from './_ws-client.ts';

test('an accepted job is answered with the queue length and its id; inputs not sent keep their defaults', async () => {
  await using t = await startBridge();
  const answer = await submit(t, 'one', { '6/text': 'the awesome cat', '3/seed': 1234 });
  expect(Object.keys(answer).toSorted()).toEqual(['detail', 'jobId']);
  expect(answer.detail).toBe('queued / 1');
  expect(answer.jobId).toMatch(/^[0-9a-f-]{36}$/);
  const { prompt } = await t.sim.nextPrompt();
  expect(prompt['6']?.inputs['text']).toBe('the awesome cat');
  expect(prompt['3']?.inputs).toMatchObject({ seed: 1234, steps: 20, cfg: 8 });
  expect(prompt['7']?.inputs['text']).toBe('text, watermark');
});

test('the queue length counts the jobs that wait', async () => {
  await using t = await startBridge({ env: { BACKEND_SLOTS: '1' } });
  await submit(t, 'running');
  await t.sim.nextPrompt();
  expect((await submit(t, 'second')).detail).toBe('queued / 1');
  expect((await submit(t, 'third')).detail).toBe('queued / 2');
});

test('numbers as text are numbers; a 64-bit seed arrives digit for digit', async () => {
  await using t = await startBridge();
  const raw =
    '{"workflow":"text-to-image","3/seed":18446744073709551615,"3/steps":"7","3/cfg":"2.5","5/width":"64"}';
  expect((await t.post('/generate-based-workflow?clientId=one', raw)).status).toBe(200);
  const run = await t.sim.nextPrompt();
  expect(run.prompt['3']?.inputs).toMatchObject({ steps: 7, cfg: 2.5 });
  expect(run.prompt['5']?.inputs['width']).toBe(64);
  const job = await t.bridge.ledger.latestOf('one');
  expect(job?.prompt['3']?.inputs['seed']).toBe(18446744073709551615n);
});

test('any content type will do, and a byte order mark as well', async () => {
  await using t = await startBridge();
  const body = '{"workflow":"text-to-image"}';
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8'];
  for (const [index, type] of types.entries()) {
    const init = { headers: { 'content-type': type } };
    const answer = await t.post(`/generate-based-workflow?clientId=c${index}`, body, init);
    expect(answer.status, type).toBe(200);
  }
  expect((await t.post('/generate-based-workflow?clientId=bom', `\uFEFF${body}`)).status).toBe(200);
});

const deep = `{"workflow":"text-to-image","6/text":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;

test.each<[string, string, RegExp]>([
  ['an empty body', '', /JSON/],
  ['broken JSON', '{"workflow":', /JSON/],
  ['an array', '[]', /JSON object/],
  ['null', 'null', /JSON object/],
  ['a text', '"text-to-image"', /JSON object/],
  ['a number', '7', /JSON object/],
  ['no workflow', '{}', /workflow is missing.*workflow-list/],
  ['an empty workflow', '{"workflow":""}', /workflow is missing/],
  ['a workflow that is no text', '{"workflow":{"a":1}}', /workflow/],
  ['an unknown workflow', '{"workflow":"nope"}', /no workflow "nope".*text-to-image/],
  ['a path for a workflow', '{"workflow":"../../etc/passwd"}', /no workflow/],
  ['an unknown key', '{"workflow":"text-to-image","6/txt":"a"}', /"6\/txt" is not an input/],
  ['an unmarked input', '{"workflow":"text-to-image","4/ckpt_name":"x"}', /"4\/ckpt_name" is not an input/],
  [
    'a key of the prototype',
    '{"workflow":"text-to-image","__proto__":{"a":1}}',
    /"__proto__" is not an input/,
  ],
  ['another one', '{"workflow":"text-to-image","constructor":1}', /"constructor" is not an input/],
  ['a number for a text', '{"workflow":"text-to-image","6/text":5}', /"6\/text" must be text/],
  ['null for a text', '{"workflow":"text-to-image","6/text":null}', /"6\/text" must be text/],
  [
    'a text for a number',
    '{"workflow":"text-to-image","3/steps":"many"}',
    /"3\/steps" must be a whole number/,
  ],
  [
    'a fraction for a whole number',
    '{"workflow":"text-to-image","3/steps":1.5}',
    /"3\/steps" must be a whole number/,
  ],
  ['a list', '{"workflow":"text-to-image","3/seed":[1]}', /"3\/seed" must be a whole number/],
  [
    'a value below its minimum',
    '{"workflow":"text-to-image","5/width":1}',
    /"5\/width" must be .* from 64 to 1024/,
  ],
  [
    'a value above its maximum',
    '{"workflow":"text-to-image","3/steps":61}',
    /"3\/steps" must be .* from 1 to 60/,
  ],
  ['a seed of more than 64 bits', '{"workflow":"text-to-image","3/seed":18446744073709551616}', /"3\/seed"/],
  [
    'a value that is no option',
    '{"workflow":"upscale","2/upscale_method":"magic"}',
    /"2\/upscale_method" must be one of/,
  ],
  [
    'a file that was not uploaded',
    '{"workflow":"image-to-image","10/image":"cat.png"}',
    /"10\/image".*not uploaded/,
  ],
  [
    'a guessed saved name',
    '{"workflow":"image-to-image","10/image":"00000000-0000-4000-8000-000000000000.png"}',
    /not uploaded/,
  ],
  [
    'a path for a file',
    '{"workflow":"image-to-image","10/image":"../../x.png"}',
    /"10\/image".*not uploaded/,
  ],
  ['JSON nested 100 000 deep', deep, /JSON|"6\/text"/],
])('%s is refused with 400 that says what is wrong', async (_what, body, reason) => {
  await using t = await startBridge();
  const answer = await t.post('/generate-based-workflow?clientId=one', body);
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toMatch(reason);
  expect(await t.bridge.ledger.latestOf('one')).toBeUndefined();
  expect(t.sim.counters['POST /prompt']).toBeUndefined();
  expect(t.errors).toEqual([]);
});

test('bytes that are no UTF-8 are refused with 400', async () => {
  await using t = await startBridge({ sims: 0 });
  const body = Buffer.concat([Buffer.from('{"workflow":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
  const answer = await t.post('/generate-based-workflow?clientId=one', undefined, { body });
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toMatch(/JSON/);
});

test('every problem of a request is named, not only the first', async () => {
  await using t = await startBridge();
  const body = { workflow: 'text-to-image', '6/txt': 'a', '3/steps': 'x', '5/width': 1 };
  const detail = await detailOf(await t.post('/generate-based-workflow?clientId=one', body));
  for (const key of ['6/txt', '3/steps', '5/width']) expect(detail).toContain(key);
});

test.each(['', '?clientId=', '?clientId=a%20b', `?clientId=${'x'.repeat(129)}`, '?clientId=a&clientId=b'])(
  'a clientId that is missing or odd is refused: "%s"',
  async (query) => {
    await using t = await startBridge({ sims: 0 });
    const answer = await t.post(`/generate-based-workflow${query}`, { workflow: 'text-to-image' });
    expect(answer.status).toBe(400);
    expect(await detailOf(answer)).toContain('clientId');
  },
);

test('one unfinished job per clientId: a second one is refused, after the end a new one is taken', async () => {
  await using t = await startBridge();
  await submit(t, 'one', { '6/text': 'first' });
  const first = await t.sim.nextPrompt();
  const answer = await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
  expect(answer.status).toBe(400);
  expect(await detailOf(answer)).toMatch(/unfinished/);
  await first.finish({ images: 1 });
  await ended(t, 'one');
  const { jobId } = await submit(t, 'one', { '6/text': 'second' });
  expect((await t.bridge.ledger.latestOf('one'))?.id).toBe(jobId);
  expect((await t.get('/history?clientId=one')).status).toBe(204);
});

test('of ten submits at the same time under one clientId exactly one is taken', async () => {
  await using t = await startBridge();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' }),
    ),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    200,
    ...Array.from({ length: 9 }, () => 400),
  ]);
  expect(await (await t.get('/generation-count')).json()).toBe(1);
});

test('a body that announces too much is refused before it comes', async () => {
  await using t = await startBridge({ sims: 0 });
  using raw = rawConnection(t);
  raw.socket.write(
    'POST /generate-based-workflow?clientId=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 157286400\r\n\r\n{',
  );
  expect(await raw.received).toMatch(/^HTTP\/1\.1 413 [^]*\{"detail":"[^"]+"\}/);
});

test('a body that announces nothing is refused as soon as it is too much', async () => {
  await using t = await startBridge({ sims: 0, env: { MAX_JSON_SIZE: '0.01' } });
  using raw = rawConnection(t);
  raw.socket.write(
    'POST /generate-based-workflow?clientId=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  raw.socket.write(`8000\r\n${'x'.repeat(0x8000)}\r\n`);
  expect(await raw.received).toMatch(/^HTTP\/1\.1 413 [^]*\{"detail":"[^"]+"\}/);
});

test('a client may hear of its job by WebSocket or not', async () => {
  await using t = await startBridge();
  using client = await openSocket(`${t.wsUrl}/ws?clientId=with`);
  await submit(t, 'with');
  await submit(t, 'without');
  for (let job = 0; job < 2; job += 1) await (await t.sim.nextPrompt()).finish({ images: 1 });
  expect(await client.next('closed')).toMatchObject({ status: 'closed' });
  expect(await ended(t, 'without')).toMatchObject({ state: { status: 'succeeded' } });
});
