// Runs a workflow with plain HTTP calls and polls for its progress. Without arguments it says how to use it.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import * as bridge from './bridge-calls.ts';

const pollMs = 500;

async function run({ server, workflow, inputs, images, out }: bridge.Arguments): Promise<void> {
  const clientId = randomUUID();
  const info = await bridge.getWorkflowInfo(server, workflow);
  const saved = await bridge.uploadFiles(server, clientId, images);
  await bridge.submit(server, clientId, workflow, { ...bridge.toValues(inputs, info), ...saved });
  await untilClosed(server, clientId);
  await fetchResults(server, clientId, out);
}

/** Polls GET /execution-info until `closed`. */
async function untilClosed(server: string, clientId: string): Promise<void> {
  for (let last = ''; ; await delay(pollMs)) {
    const response = await bridge.call(`${server}/execution-info?clientId=${clientId}`);
    const { status, detail } = JSON.parse(await response.text());
    if (status === 'closed') return;
    if (status === 'error') throw new Error(detail);
    if (status === 'progress' && detail !== last) process.stdout.write(`${detail}\n`);
    last = detail;
  }
}

/** GET /history as JSON with base64. */
async function fetchResults(server: string, clientId: string, out: string): Promise<void> {
  const response = await bridge.call(`${server}/history?clientId=${clientId}&resType=base64`);
  if (response.status === 204) throw new Error(response.headers.get('X-Detail') ?? 'there is no result');
  const { files } = JSON.parse(await response.text());
  for (const [index, { file_name: fileName, content }] of files.entries()) {
    await bridge.saveResult(out, index, fileName, Buffer.from(content, 'base64'));
  }
}

await bridge.main(run);
