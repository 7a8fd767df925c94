import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { v2JobSchema } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { png, pngHash } from './_assets.ts';
import { createCalls } from './_openapi-calls.ts';
import type { Calls } from './_openapi-calls.ts';
import { callKeys } from './_openapi-keys.ts';
import { callLinks, callPage } from './_openapi-page.ts';
import { makePage } from './_page.ts';
import { parseBody, toForm, upgrade } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';
import { toMetadata } from './_tus.ts';
import { copyWorkflows } from './_workflow-folder.ts';

const badId = { path: { id: 'nope' } };
const alias = { alias: 'text-to-image' };
const noAlias = { alias: 'nope' };
const tus = { 'tus-resumable': '1.0.0' };
const readGraph = async (): Promise<unknown> =>
  JSON.parse(await readFile(join(workflowsDir, 'text-to-image.json'), 'utf8'));

/** As the editor saves it. */
const saved = {
  version: 0.4,
  nodes: [
    {
      id: 1,
      type: 'LoadImage',
      mode: 0,
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      widgets_values: ['sample_a.png', 'image'],
    },
    {
      id: 2,
      type: 'SaveImage',
      mode: 0,
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      widgets_values: ['x'],
    },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
};

/** Every operation once as it is meant, and once so that it is refused; each answer is held to the document. */
test('every operation answers as the document says, good and bad', { timeout: 60_000 }, async () => {
  // Some of the calls publish.
  await using folder = await copyWorkflows({});
  await using page = await makePage();
  await using t = await startBridge({
    sim: { mode: 'free', runMs: 0 },
    env: { WORKFLOW_DIR: folder.path },
    overrides: { pageDir: page.dist },
  });
  const calls = createCalls(t);
  await callService(calls);
  await callPage(t, calls);
  await callCompatibility(t, calls);
  await callWorkflows(calls);
  await callPublishing(calls);
  await callJobs(t, calls);
  await callAssets(calls);
  await callUploads(calls);
  await callFleet(calls, t.sim.address);
  await callKeys(calls);
  expect(calls.missing()).toEqual([]);
  expect(t.errors).toEqual([]);
});

test('a bridge without a ComfyUI is not ready, in the words of the document', async () => {
  await using t = await startBridge({ sims: 0, env: { WHEN_NO_BACKEND: 'refuse' } });
  const calls = createCalls(t);
  await calls.call('getReadiness', 503);
  await calls.call('generate', 503, { query: { clientId: 'one' }, body: { workflow: 'text-to-image' } });
});

async function callService({ call }: Calls): Promise<void> {
  await call('getHealth', 200);
  await call('getReadiness', 200);
  await call('getMetrics', 200);
  const proxied = { headers: { 'x-forwarded-for': '192.0.2.1' } };
  await call('getMetrics', 403, proxied);
  await call('getStats', 200);
  await call('getStats', 403, proxied);
  const document = await call('getOpenApi', 200);
  await call('getOpenApi', 304, { headers: { 'if-none-match': document.headers.get('etag') ?? '' } });
  await call('getOpenApi', 400, { query: { workflows: 'some' } });
  const page = await call('getDocs', 200);
  await call('getDocs', 304, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } });
  for (const file of [
    'page.js',
    'page.css',
    'swagger-ui.css',
    'swagger-ui-bundle.js',
    'favicon-32x32.png',
    'client.md',
  ])
    await call('getDocsFile', 200, { path: { file } });
  await call('getDocsFile', 404, { path: { file: 'index.html' } });
}

async function callCompatibility(t: TestBridge, { call, note }: Calls): Promise<void> {
  const query = { clientId: 'one' };
  const unknown = { query: { clientId: 'nobody' } };
  await call('listWorkflows', 200);
  await call('listWorkflows', 200, { query: { detail: 'full' } });
  await call('describeWorkflow', 200, { query: { workflow: 'upscale' } });
  await call('describeWorkflow', 400, { query: { workflow: 'nope' } });
  await call('upload', 200, { body: toForm([{ bytes: png, fileName: 'a.png' }]) });
  await call('upload', 400, { body: toForm([{ bytes: png, fileName: 'a.exe' }]) });
  const finished = t.nextEvent('job:finished', ({ job }) => job.clientId === 'one');
  await call('generate', 200, { query, body: { workflow: 'text-to-image', '3/seed': 7 } });
  await finished;
  await call('generate', 400, { query, body: { workflow: 'upscale', '2/scale_by': 99 } });
  await call('getExecutionInfo', 200, { query });
  await call('getExecutionInfo', 400, unknown);
  await call('fetchResults', 200, { query: { ...query, resType: 'base64' } });
  await call('fetchResults', 204, { query });
  await call('fetchResults', 400, { query: { ...query, resType: 'zip' } });
  await call('interrupt', 200, { query });
  await call('interrupt', 400, unknown);
  await call('countGenerations', 200);
  await call('freeMemory', 200);
  await call('freeMemory', 400, unknown);
  await call('openSocket', 404, { query });
  note('openSocket', (await upgrade(`${t.wsUrl}/ws?clientId=one`)).status);
}

async function callWorkflows({ call }: Calls): Promise<void> {
  await call('listPublishedWorkflows', 200);
  await call('getPublishedWorkflow', 200, { path: alias });
  await call('getPublishedWorkflow', 404, { path: noAlias });
  const picture = await call('getWorkflowThumbnail', 200, { path: alias });
  const etag = picture.headers.get('etag') ?? '';
  await call('getWorkflowThumbnail', 304, { path: alias, headers: { 'if-none-match': etag } });
  await call('getWorkflowThumbnail', 404, { path: noAlias });
  await call('previewPlacement', 200, { path: alias, query: { inputs: '{"6/text": "a cat"}' } });
  await call('previewPlacement', 400, { path: alias, query: { inputs: '[]' } });
  const headers = { 'idempotency-key': 'one' };
  await call('runWorkflow', 201, { path: alias, headers, body: { inputs: { seed: 1 } } });
  await call('runWorkflow', 200, { path: alias, headers, body: { inputs: { seed: 1 } } });
  await call('runWorkflow', 422, { path: alias, headers, body: { inputs: { seed: 2 } } });
  const wait = { prefer: 'wait=30' };
  await call('runWorkflow', 200, { path: alias, headers: wait, body: {} });
  await call('runWorkflow', 200, { path: alias, headers: { ...wait, accept: 'image/*' }, body: {} });
  await call('runWorkflow', 400, { path: alias, body: { inputs: { nope: 1 } } });
  await call('runWorkflow', 404, { path: noAlias, body: {} });
  const made = await call('runWorkflow', 201, { path: alias, body: { inputs: { seed: [1, 2, 3] } } });
  const { id } = await parseBody<{ id: string }>(made);
  await call('getGroup', 200, { path: { id } });
  await call('getGroup', 404, badId);
  await call('cancelGroup', 200, { path: { id } });
  await call('cancelGroup', 404, badId);
  await call('getWorkflowRequirements', 200, { path: alias });
  await call('getWorkflowRequirements', 404, { path: noAlias });
  await call('setWorkflowRequirements', 200, { path: alias, body: { tags: [] } });
  await call('setWorkflowRequirements', 400, { path: alias, body: { tags: ['a b'] } });
}

async function callPublishing({ call }: Calls): Promise<void> {
  const path = { alias: 'fresh' };
  const body = { workflow: await readGraph(), description: 'd', thumbnail: png.toString('base64') };
  const made = await call('publishWorkflow', 201, { path, body });
  const { version } = await parseBody<{ version: string }>(made);
  await call('publishWorkflow', 200, { path, body: { workflow: saved, previous: version } });
  await call('publishWorkflow', 409, { path, body: { ...body, previous: version } });
  await call('publishWorkflow', 422, { path, body: { workflow: {} } });
  await call('publishWorkflow', 400, { path: { alias: 'a/b' }, body });
  const file = await call('getWorkflowFile', 200, { path });
  const headers = { 'if-none-match': file.headers.get('etag') ?? '' };
  await call('getWorkflowFile', 304, { path, headers });
  await call('getWorkflowFile', 404, { path: noAlias });
  await call('listWorkflowVersions', 200, { path });
  await call('listWorkflowVersions', 404, { path: noAlias });
  await call('restoreWorkflow', 200, { path: { ...path, version } });
  await call('restoreWorkflow', 404, { path: { ...path, version: 'nope' } });
  await call('removeWorkflow', 204, { path });
  await call('removeWorkflow', 404, { path });
  await call('restoreWorkflow', 201, { path: { ...path, version } });
}

async function callJobs(t: TestBridge, calls: Calls): Promise<void> {
  const { call } = calls;
  const workflow = await readGraph();
  await call('convertWorkflow', 200, { body: { workflow: saved } });
  await call('convertWorkflow', 400, { body: { workflow } });
  await call('submitGraph', 201, { body: { workflow } });
  await call('submitGraph', 422, { body: { workflow: {} } });
  const finished = t.nextEvent('job:finished', ({ job }) => job.workflow.startsWith('graph:'));
  const { id, urls } = v2JobSchema.parse(await parseBody(call('postJobs', 201, { body: { workflow } })));
  await finished;
  await expect
    .poll(async () => (await parseBody<{ status: string }>(t.get(urls.self))).status)
    .toBe('succeeded');
  const path = { id };
  await call('postJobs', 422, { body: { workflow: { nodes: [], links: [] } } });
  await call('getJob', 200, { path });
  await call('getJob', 404, badId);
  await call('getJob', 404, { path: { id: '%' } });
  await call('getJobWorkflow', 200, { path });
  await call('getJobWorkflow', 404, badId);
  await call('getJobEvents', 200, { path });
  await call('getJobEvents', 404, badId);
  await call('followJob', 200, { path });
  await call('followJob', 404, badId);
  await call('cancelJob', 200, { path });
  await call('cancelJob', 404, badId);
  await call('listJobs', 200, { query: { limit: '2' } });
  await call('listJobs', 401, { query: { owner: 'me' } });
  await call('getBridgeJob', 200, { path });
  await call('getBridgeJob', 404, badId);
  await call('getJobInputs', 200, { path });
  await call('getJobInputs', 404, badId);
  await call('retryJob', 201, { path });
  await call('retryJob', 404, badId);
  await callLinks(calls, id);
  await call('getJobResult', 200, { path: { id, index: '0' } });
  await call('getJobResult', 206, { path: { id, index: '0' }, headers: { range: 'bytes=0-9' } });
  await call('getJobResult', 416, { path: { id, index: '0' }, headers: { range: 'bytes=99999999-' } });
  await call('getJobResult', 404, { path: { id, index: '9' } });
  await call('setJobPriority', 409, { path, body: { priority: 2 } });
  await call('forgetJob', 204, { path });
  await call('forgetJob', 404, { path });
}

async function callAssets({ call }: Calls): Promise<void> {
  const toBody = () => {
    const form = toForm([{ bytes: png, fileName: 'a.png' }]);
    form.append('expires_in', '600');
    return form;
  };
  const { id } = await parseBody<{ id: string }>(call('postAssets', 201, { body: toBody() }));
  await call('postAssets', 200, { body: toBody() });
  await call('postAssets', 422, { body: toForm([{ bytes: png, fileName: 'a.png', name: 'other' }]) });
  await call('assetFromHash', 200, { body: { hash: pngHash, file_path: 'a.png' } });
  await call('assetFromHash', 201, { body: { hash: pngHash, file_path: 'b.png' } });
  await call('assetFromHash', 404, { body: { hash: `blake3:${'0'.repeat(64)}` } });
  await call('assetFromHash', 422, { body: {} });
  await call('headAssetByHash', 200, { path: { hash: pngHash } });
  await call('headAssetByHash', 404, { path: { hash: 'nope' } });
  const path = { id };
  await call('getAsset', 200, { path });
  await call('getAsset', 404, badId);
  const content = await call('getAssetContent', 200, { path });
  const etag = content.headers.get('etag') ?? '';
  await call('getAssetContent', 206, { path, headers: { range: 'bytes=0-9' } });
  await call('getAssetContent', 304, { path, headers: { 'if-none-match': etag } });
  await call('getAssetContent', 404, badId);
  await call('deleteAsset', 204, { path });
  await call('deleteAsset', 404, { path });
}

async function callUploads({ call }: Calls): Promise<void> {
  const upload = { ...tus, 'upload-length': String(png.length) };
  const headers = { ...upload, 'upload-metadata': toMetadata({ filename: 'a.png' }) };
  const bytes = { 'content-type': 'application/offset+octet-stream' };
  const begun = await call('createUpload', 201, { headers });
  const path = { id: begun.headers.get('location')?.split('/').at(-1) ?? '' };
  await call('createUpload', 412, { headers: { 'upload-length': '1' } });
  await call('createUpload', 400, { headers: upload });
  await call('describeUploads', 204);
  await call('describeUpload', 204, { path });
  await call('describeUpload', 400, { path: { id: '%' } });
  await call('getUploadOffset', 200, { path, headers: tus });
  await call('getUploadOffset', 404, { ...badId, headers: tus });
  await call('getUploadedAsset', 404, { path });
  const first = { ...tus, ...bytes, 'upload-offset': '0' };
  await call('continueUpload', 204, { path, headers: first, body: Uint8Array.from(png) });
  await call('continueUpload', 409, { path, headers: first, body: Uint8Array.from(png) });
  await call('getUploadedAsset', 200, { path });
  await call('abandonUpload', 204, { path, headers: tus });
  await call('abandonUpload', 404, { path, headers: tus });
}

async function callFleet({ call }: Calls, taken: string): Promise<void> {
  const path = { name: 'spare' };
  const nobody = { path: { name: 'nobody' } };
  await call('listBackends', 200);
  await call('listBackends', 403, { headers: { 'x-forwarded-for': '192.0.2.1' } });
  await call('addBackend', 201, { body: { url: 'http://127.0.0.1:9', name: 'spare' } });
  await call('addBackend', 409, { body: { url: taken } });
  await call('getBackend', 200, { path });
  await call('getBackend', 404, nobody);
  await call('getBackendActivity', 200, { path });
  await call('getBackendActivity', 404, nobody);
  await call('changeBackend', 200, { path, body: { weight: 2 } });
  await call('changeBackend', 400, { path, body: { weight: 0 } });
  for (const id of ['drainBackend', 'pauseBackend', 'resumeBackend']) {
    await call(id, 200, { path });
    await call(id, 404, nobody);
  }
  await call('unloadBackend', 503, { path });
  const [main] = await parseBody<{ name: string }[]>(call('listBackends', 200));
  const own = { path: { name: main?.name ?? '' } };
  await call('unloadBackend', 200, own);
  await call('pauseBackend', 200, own);
  const waiting = await call('runWorkflow', 201, { path: alias, body: {} });
  const { id } = await parseBody<{ id: string }>(waiting);
  await call('setJobPriority', 200, { path: { id }, body: { priority: 2 } });
  await call('forgetJob', 409, { path: { id } });
  await call('resumeBackend', 200, own);
  await call('unloadBackend', 404, nobody);
  await call('removeBackend', 202, { path });
  await call('removeBackend', 404, { path });
}
