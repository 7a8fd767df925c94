import { expect, test } from 'vitest';

import { uploadFile } from '../src/editor/upload-file.ts';
import { fakeEditor } from './_editor.ts';

const picture = new File(['abc'], 'a.png', { type: 'image/png' });

/** A ComfyUI that gives one answer. */
function answering(status: number, body: unknown, maxBytes?: number) {
  const sent: { route: string; file: unknown }[] = [];
  const { api } = fakeEditor();
  api.fetchApi = async (route, init) => {
    const form = init?.body;
    sent.push({ route, file: form instanceof FormData ? form.get('image') : undefined });
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  };
  if (maxBytes !== undefined) api.getServerFeature = () => maxBytes;
  return { api, sent };
}

test('a file is sent to the inputs of ComfyUI and called as it was saved', async () => {
  const { api, sent } = answering(200, { name: 'a (1).png', subfolder: '', type: 'input' });
  expect(await uploadFile(api, picture, 'image')).toEqual({ kind: 'saved', name: 'a (1).png' });
  expect(sent).toMatchObject([{ route: '/upload/image', file: { name: 'a.png' } }]);
  const inFolder = answering(200, { name: 'a.png', subfolder: 'b' });
  expect(await uploadFile(inFolder.api, picture, 'mask')).toEqual({ kind: 'saved', name: 'b/a.png' });
});

test('a file of another kind, or larger than ComfyUI takes, is not sent at all', async () => {
  const { api, sent } = answering(200, {}, 2);
  expect(await uploadFile(api, picture, 'audio')).toEqual({ kind: 'wrong-type' });
  expect(await uploadFile(api, picture, 'image')).toEqual({ kind: 'too-large', maxMb: 0 });
  expect(sent).toEqual([]);
});

test('a file whose kind the browser does not know is left to ComfyUI', async () => {
  const { api } = answering(200, { name: 'a.mkv' });
  expect(await uploadFile(api, new File(['x'], 'a.mkv'), 'video')).toEqual({ kind: 'saved', name: 'a.mkv' });
});

test.each([
  { status: 413, body: 'too large', kind: 'too-large' },
  { status: 400, body: '', kind: 'failed' },
  { status: 200, body: { name: 7 }, kind: 'failed' },
  { status: 500, body: { name: 'a.png' }, kind: 'failed' },
])('takes $status $body for $kind', async ({ status, body, kind }) => {
  expect(await uploadFile(answering(status, body).api, picture, 'image')).toHaveProperty('kind', kind);
});
