import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApiPrompt } from '@comfy-bridge/protocol';
import { type Sim, type SimOptions, startSim } from '@comfy-bridge/comfy-sim';
import { expect } from 'vitest';
import { type ComfyClient, createComfyClient } from '../src/comfy/comfy-client.ts';
import type { ComfyError } from '../src/comfy/comfy-error.ts';
import type { ComfyHttpOptions } from '../src/comfy/comfy-http.ts';

/** Model-free: load, scale, save. */
export const graph: ApiPrompt = {
  '1': { class_type: 'LoadImage', inputs: { image: 'example.png' } },
  '2': {
    class_type: 'ImageScale',
    inputs: { image: ['1', 0], upscale_method: 'bilinear', width: 32, height: 24, crop: 'disabled' },
  },
  '3': {
    class_type: 'SaveImage',
    inputs: { images: ['2', 0], filename_prefix: 'test' },
    _meta: { title: 'Save', secret: 1 },
  },
};

/** A simulated ComfyUI and a client of it. */
export interface Rig extends AsyncDisposable {
  sim: Sim;
  client: ComfyClient;
  /** Submits the graph, or a variation of it. */
  submit(width?: number): Promise<string>;
}

export async function startRig(options: SimOptions = {}, http: ComfyHttpOptions = {}): Promise<Rig> {
  const sim = await startSim(options);
  const client = createComfyClient({ url: sim.url }, http);
  return {
    sim,
    client,
    async submit(width = 32) {
      const prompt: ApiPrompt = structuredClone(graph);
      if (prompt['2'] !== undefined) prompt['2'].inputs['width'] = width;
      const outcome = await client.submitPrompt({ prompt, promptId: randomUUID(), clientId: 'c' });
      if (!outcome.ok) throw new Error(JSON.stringify(outcome));
      return outcome.promptId;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await sim.close();
    },
  };
}

export interface Server extends AsyncDisposable {
  url: string;
}

/** A server for what no ComfyUI does. */
export async function startServer(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

/** Matches a `ComfyError` by what is decided upon. */
export const failing = (failure: string, status?: number): Partial<ComfyError> =>
  expect.objectContaining({ name: 'ComfyError', failure, ...(status === undefined ? {} : { status }) });
