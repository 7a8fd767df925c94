// Runs a workflow and follows it over a WebSocket. Without arguments it says how to use it.
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';

import { WebSocket } from 'ws';

import * as bridge from './bridge-calls.ts';

/** The bridge is heard from every second, unless its operator set another TIMEOUT_INTERVAL. */
const silenceMs = 60_000;

async function run({ server, workflow, inputs, images, out }: bridge.Arguments): Promise<void> {
  const clientId = randomUUID();
  const info = await bridge.getWorkflowInfo(server, workflow);
  const saved = await bridge.uploadFiles(server, clientId, images);
  const values = { ...bridge.toValues(inputs, info), ...saved };

  const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/ws?clientId=${clientId}`);
  // Reading begins before the socket opens, so that no frame is missed.
  const messages = on(socket, 'message', { close: ['close'] });
  try {
    await once(socket, 'open');
    await bridge.submit(server, clientId, workflow, values);
    await untilClosed(socket, messages);
  } finally {
    socket.terminate();
  }
  await fetchResults(server, clientId, out);
}

/** Reads frames until the first `closed`. */
async function untilClosed(socket: WebSocket, messages: AsyncIterable<unknown[]>): Promise<void> {
  const watchdog = setTimeout(() => socket.terminate(), silenceMs);
  try {
    for await (const [data] of messages) {
      watchdog.refresh();
      const { status, detail } = JSON.parse(String(data));
      if (status === 'closed') return;
      if (status === 'error') throw new Error(detail);
      if (status === 'progress') process.stdout.write(`${detail}\n`);
    }
  } finally {
    clearTimeout(watchdog);
  }
  throw new Error('the connection to the bridge was lost');
}

/** GET /history as multipart/form-data: the parts are result_0, result_1, … */
async function fetchResults(server: string, clientId: string, out: string): Promise<void> {
  const response = await bridge.call(`${server}/history?clientId=${clientId}`);
  if (response.status === 204) throw new Error(response.headers.get('X-Detail') ?? 'there is no result');
  const form = await response.formData();
  for (const [index, file] of [...form.values()].entries()) {
    if (file instanceof File) await bridge.saveResult(out, index, file.name, await file.bytes());
  }
}

await bridge.main(run);
