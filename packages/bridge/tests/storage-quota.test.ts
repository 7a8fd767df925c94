import sharp from 'sharp';
import { expect, test } from 'vitest';

import { accessModes } from './_access.ts';
import { startBridge } from './_start-bridge.ts';
import type { TestBridge } from './_start-bridge.ts';

/** Noise does not compress, so the file is about as large as its pixels. */
async function noise(side: number): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = Buffer.alloc(side * side * 3);
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = (at * 7919 + (at >> 3) * 104_729) & 0xff;
  const file = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
  return new Uint8Array(file);
}

async function upload(t: TestBridge, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
  const form = new FormData();
  form.append('image', new Blob([bytes], { type: 'image/png' }), 'noise.png');
  return t.post('/upload', undefined, { body: form });
}

test.each(accessModes)(
  'uploads stop at their share of the quota, and results still fit (%s)',
  async (access) => {
    await using t = await startBridge({ access, env: { STORAGE_QUOTA: '0.001', UPLOAD_TTL_HOURS: '0.001' } });
    const picture = await noise(420);
    expect(picture.length).toBeGreaterThan(400_000);
    expect((await upload(t, picture)).status).toBe(200);
    expect((await upload(t, picture)).status).toBe(507);
    const refused = await upload(t, picture);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.json()).toEqual({ detail: 'the storage of the bridge is full: try again later' });

    const ended = t.nextEvent('job:finished');
    await t.post('/generate-based-workflow?clientId=one', { workflow: 'text-to-image' });
    await (await t.sim.nextPrompt()).finish({ images: 1 });
    expect((await ended).job.state.status).toBe('succeeded');
  },
);
