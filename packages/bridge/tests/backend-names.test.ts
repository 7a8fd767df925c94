import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { picture } from './_files-fixtures.ts';
import { ended, parseBody, submit } from './_requests.ts';
import { startBridge } from './_start-bridge.ts';

// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u202e]/;
const png = await picture().png().toBuffer();

test('a file’s name and folder are asked for as they are, and never become a path or a header here', async () => {
  await using t = await startBridge();
  const shown = {
    filename: '../../x"\r\nSet-Cookie: a=b\u001b[31m\u202e.png',
    subfolder: '../../../etc\r\n',
    type: 'output' as const,
  };
  t.sim.failNext('GET /view', { body: png, contentType: 'image/png' });
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ outputs: { '9': { images: [shown] } } });
  const job = await ended(t, 'one');
  expect(job.state).toMatchObject({ status: 'succeeded' });
  const results = 'results' in job.state ? job.state.results : [];
  expect(results.map(({ fileName }) => fileName)).toEqual(['x"__Set-Cookie: a=b_[31m_.png']);
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([`${job.id}.${results[0]?.index}`]);
  const asked = t.sim.requests.filter(({ path }) => path.includes('/view'));
  expect(asked).toHaveLength(1);
  const answer = await t.get(`/api/v2/jobs/${job.id}/outputs/${results[0]?.id}`);
  expect(answer.headers.get('set-cookie')).toBeNull();
  const history = await t.get('/history?clientId=one');
  expect(history.headers.get('set-cookie')).toBeNull();
  const [partHead = ''] = (await history.text()).split('\r\n\r\n');
  expect(partHead.split('\r\n')).toHaveLength(3);
  expect(t.errors).toEqual([]);
});

test('what a failing node says reaches nobody with control characters', async () => {
  await using t = await startBridge();
  await submit(t, 'one');
  const run = await t.sim.nextPrompt();
  run.fail({
    message: 'bad\u001b[31m\r\n{"level":"fatal"}\u202e\u0007',
    type: 'Odd\u001b]0;x\u0007Error',
    nodeId: '3\u001b[2J\r\n',
  });
  const { state } = await ended(t, 'one');
  if (state.status !== 'failed') throw new Error('the job did not fail');
  const { message, node_id: nodeId, class_type: classType } = state.error;
  for (const text of [message, nodeId, classType]) expect(text ?? '').not.toMatch(controls);
});

test('a rejection names nodes and classes without control characters', async () => {
  await using t = await startBridge();
  const evil = 'x\u001b[31m\r\n\u202e';
  const error = { type: evil, message: evil, details: evil, extra_info: { input_name: evil } };
  const body = {
    error,
    node_errors: { [evil]: { class_type: evil, dependent_outputs: [evil], errors: [error] } },
  };
  t.sim.failNext('POST /prompt', {
    status: 400,
    body: JSON.stringify(body),
    contentType: 'application/json',
  });
  await submit(t, 'one');
  const { state } = await ended(t, 'one');
  expect(state.status).toBe('failed');
  for (const text of Object.values('error' in state ? (state.error ?? {}) : {}))
    if (typeof text === 'string') expect(text).not.toMatch(controls);
});

test('a version is what operators may read without harm', async () => {
  await using t = await startBridge({ ready: false, sims: 0 });
  await using other = await startBridge();
  const system = { comfyui_version: `1\u001b[31m${'9'.repeat(1000)}`, ram_total: 1, ram_free: 1 };
  const fault = { body: JSON.stringify({ system, devices: [] }), contentType: 'application/json' };
  other.sim.failNext('GET /system_stats', fault, 100);
  await t.post('/api/bridge/backends', { url: other.sim.address, name: 'lent' });
  const lent = () => parseBody<{ version: string | null }>(t.get('/api/bridge/backends/lent'));
  await expect.poll(lent).toMatchObject({ version: expect.stringMatching(/^1\[31m9{95}$/) });
});

const html = Buffer.from('<!doctype html><html><script>alert(1)</script></html>');

test.each([
  ...['png', 'jpg', 'jpeg', 'webp', 'gif', 'bmp', 'mp4', 'webm', 'mov', 'mkv', 'wav', 'mp3', 'flac', 'ogg'],
  ...['m4a', 'glb', 'latent', 'safetensors', 'html', 'svg', 'exe', 'zip', 'pdf', 'sh'],
])('a page that a machine calls .%s is no result', async (extension) => {
  await using t = await startBridge();
  const fileName = `a.${extension}`;
  t.sim.failNext('GET /view', { body: html, contentType: 'application/octet-stream' }, 2);
  await submit(t, 'one');
  const shown = { filename: fileName, subfolder: '', type: 'output' as const };
  await (await t.sim.nextPrompt()).finish({ outputs: { '9': { images: [shown] } } });
  expect(await ended(t, 'one')).toMatchObject({
    state: { status: 'failed', error: { code: 'result_refused' } },
  });
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([]);
});

test('the results of one job together have a cap', async () => {
  await using t = await startBridge({ env: { MAX_JOB_RESULT_SIZE: '0.001' } });
  await submit(t, 'one');
  await (await t.sim.nextPrompt()).finish({ images: 20 });
  const { state } = await ended(t, 'one');
  expect(state).toMatchObject({ status: 'failed', error: { code: 'result_refused' } });
  expect(JSON.stringify(state)).toMatch(/together are larger|larger than/);
  expect(await readdir(join(t.dataDir, 'results'))).toEqual([]);
});
