import { expect } from 'vitest';

import { assetOf, photo, postAsset } from './_assets.ts';
import { picture } from './_files-fixtures.ts';
import { bearer } from './_keys.ts';
import { readGroup, readJob, send } from './_named.ts';
import { parseBody } from './_requests.ts';
import type { TestBridge } from './_start-bridge.ts';
import { begin } from './_tus.ts';

/** What stands in a URL for something that belongs to somebody. */
export type Thing = 'job' | 'group' | 'asset' | 'output' | 'upload' | 'hash' | 'client';

/** Of the right form, and of nothing. */
export const nothings: Readonly<Record<Thing, string>> = {
  job: '00000000-0000-4000-8000-000000000001',
  group: '00000000-0000-4000-8000-000000000002',
  asset: '00000000-0000-4000-8000-000000000003',
  output: '00000000-0000-4000-8000-000000000004',
  upload: '00000000-0000-4000-8000-000000000005',
  hash: `blake3:${'0'.repeat(64)}`,
  client: 'nobody-at-all',
};

let made = 0;

/** Makes one, as the owner of this secret does; what stands for it in a URL. */
export async function make(t: TestBridge, thing: Thing, secret: string): Promise<string> {
  const headers = bearer(secret);
  made += 1;
  const id = `client-${made}`;
  switch (thing) {
    case 'job':
      return (await runOne(t, headers)).id;
    case 'output':
      return (await runOne(t, headers)).outputs[0]?.id ?? '';
    case 'group':
      return (await readGroup(send(t, { seed: [1, 2] }, { headers }), 201)).id;
    case 'asset':
      return (await makeAsset(t, headers)).id;
    case 'hash':
      return (await makeAsset(t, headers)).hash ?? '';
    case 'upload':
      return (await begin(t, 1_000, headers)).slice(1);
    case 'client': {
      const finished = t.nextEvent('job:finished', ({ job }) => job.clientId?.endsWith(id) === true);
      const answer = await t.post(
        `/generate-based-workflow?clientId=${id}`,
        { workflow: 'text-to-image' },
        { headers },
      );
      expect(answer.status, await answer.text()).toBe(200);
      await finished;
      return id;
    }
  }
}

async function runOne(t: TestBridge, headers: Record<string, string>) {
  return readJob(
    send(t, {}, { headers: { ...headers, prefer: 'wait=20', accept: 'application/json' } }),
    200,
  );
}

async function makeAsset(t: TestBridge, headers: Record<string, string>) {
  const bytes = await picture(10 + (made % 200), 11)
    .png()
    .toBuffer();
  return assetOf(postAsset(t, { bytes, fields: photo, headers }), 201);
}

/** The form of an upload, as often as wanted, and how many bytes its file has. */
export async function uploadForm(): Promise<{ bytes: number; body(): FormData }> {
  const bytes = Uint8Array.from(await picture().png().toBuffer());
  return {
    bytes: bytes.length,
    body() {
      const form = new FormData();
      form.append('file', new Blob([bytes], { type: 'image/png' }), 'cat.png');
      return form;
    },
  };
}

/** A saved name of the original API. */
export async function makeUpload(t: TestBridge, secret: string): Promise<string> {
  const { body } = await uploadForm();
  const answer = await t.post('/upload', undefined, { body: body(), headers: bearer(secret) });
  expect(answer.status).toBe(200);
  return (await parseBody<{ file: string }>(answer)).file;
}
