import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Comfy } from '@comfyorg/sdk';
import sharp from 'sharp';

import { startBridge, workflowsDir } from '../../packages/bridge/tests/_start-bridge.ts';
import type { StartOptions, TestBridge } from '../../packages/bridge/tests/_start-bridge.ts';

export interface SdkRig extends AsyncDisposable {
  t: TestBridge;
  client: Comfy;
  /** Another client of the SDK, with a key of its own. */
  connect(apiKey?: string): Comfy;
}

/** The bridge, and the official SDK as its users have it: told where to go by `COMFY_BASE_URL` alone. */
export async function startSdkRig(options: StartOptions = {}): Promise<SdkRig> {
  const t = await startBridge(options);
  const connect = (apiKey?: string) => {
    process.env['COMFY_BASE_URL'] = t.url;
    // A connection that is kept would outlive its test.
    const close: typeof fetch = (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('connection', 'close');
      return fetch(input, { ...init, headers });
    };
    return new Comfy({ ...(apiKey !== undefined && { apiKey }), fetch: close });
  };
  return { t, client: connect(), connect, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

export type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

export async function readGraph(name: string): Promise<Graph> {
  return JSON.parse(await readFile(join(workflowsDir, `${name}.json`), 'utf8')) as Graph;
}

/** A graph that loads a picture and saves it, scaled. */
export function scaleGraph(image: unknown = 'sample.png'): Graph {
  return {
    '1': { class_type: 'LoadImage', inputs: { image } },
    '2': {
      class_type: 'ImageScale',
      inputs: { image: ['1', 0], upscale_method: 'nearest-exact', width: 32, height: 32, crop: 'disabled' },
    },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'sdk' } },
  };
}

export async function makePng(background: string): Promise<Uint8Array> {
  const picture = await sharp({ create: { width: 16, height: 16, channels: 3, background } })
    .png()
    .toBuffer();
  return new Uint8Array(picture);
}
