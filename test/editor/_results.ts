import { createHash } from 'node:crypto';

import sharp from 'sharp';

import type { Editor } from './_open-editor.ts';

export interface Pixels {
  width: number;
  height: number;
  /** Of the pixels alone: the files carry the workflow as metadata. */
  digest: string;
}

export async function pixelsOf(picture: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(picture).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, digest: createHash('sha256').update(data).digest('hex') };
}

/** Runs a published workflow as a program does, and waits for its one picture. */
export async function runByCall({ world }: Editor, alias: string, inputs: object): Promise<Uint8Array> {
  const response = await world.bridge.post(
    `/api/bridge/workflows/${alias}/jobs`,
    { inputs },
    {
      headers: {
        'content-type': 'application/json',
        accept: 'image/*',
        prefer: 'wait=30',
        connection: 'close',
      },
    },
  );
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The picture that ComfyUI saved last. */
export function lastSaved({ world: { sim } }: Editor): Uint8Array {
  const saved = sim.readFile('output', sim.files('output').at(-1) ?? '');
  if (saved === undefined) throw new Error('nothing was saved');
  return saved;
}

/** ComfyUI forgets what it computed, so that the next run is a real one. */
export async function forgetResults({ world: { sim } }: Editor): Promise<void> {
  await fetch(`${sim.url}/free`, {
    method: 'POST',
    body: JSON.stringify({ unload_models: true, free_memory: true }),
    headers: { connection: 'close' },
  });
}
