import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { WorkflowInfo, WorkflowListEntry } from '@comfy-bridge/protocol';
import { expect, test } from 'vitest';

import { detailOf, parseBody, submit } from './_requests.ts';
import { startBridge, workflowsDir } from './_start-bridge.ts';

async function copyOfWorkflows() {
  const folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  await cp(workflowsDir, folder, { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

test('the list is the aliases, in the order of the alias file', async () => {
  await using t = await startBridge({ sims: 0 });
  const file: { alias: string }[] = JSON.parse(
    await readFile(join(workflowsDir, 'workflow_alias.json'), 'utf8'),
  );
  const answer = await t.get('/workflow-list');
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await answer.json()).toEqual(file.map(({ alias }) => alias));
});

test('detail=full gives alias, file, description and thumbnail', async () => {
  await using t = await startBridge({ sims: 0 });
  const list = await parseBody<WorkflowListEntry[]>(t.get('/workflow-list?detail=full'));
  const thumbnail = await readFile(join(workflowsDir, 'thumbnail/text-to-image.jpg'));
  expect(list.find(({ alias }) => alias === 'text-to-image')).toEqual({
    alias: 'text-to-image',
    fn: 'text-to-image.json',
    description: expect.stringContaining('글로 그림을'),
    thumbnail: thumbnail.toString('base64'),
  });
});

test('workflows that are added, changed or removed are seen without a restart; a broken one harms no other', async () => {
  await using copy = await copyOfWorkflows();
  await using t = await startBridge({ sims: 0, env: { WORKFLOW_DIR: copy.folder } });
  const list = () => parseBody<string[]>(t.get('/workflow-list'));
  const upscale = await readFile(join(copy.folder, 'upscale.json'), 'utf8');
  await writeFile(join(copy.folder, 'no-alias.json'), upscale);
  await writeFile(join(copy.folder, 'broken.json'), '{"1":');
  await expect.poll(list, { timeout: 5_000 }).toContain('no-alias.json');
  expect(await list()).toContain('text-to-image');
  await writeFile(join(copy.folder, 'no-alias.json'), upscale.replace('"scale_by": 2', '"scale_by": 3'));
  const info = () => parseBody<WorkflowInfo>(t.get('/workflow-info?workflow=no-alias.json'));
  const factor = async () => (await info())['2/scale_by']?.default;
  await expect.poll(factor, { timeout: 5_000 }).toBe(3);
  await rm(join(copy.folder, 'no-alias.json'));
  await expect.poll(list, { timeout: 5_000 }).not.toContain('no-alias.json');
});

test('the info names exactly the marked inputs, with type, title, class and default', async () => {
  await using t = await startBridge();
  const answer = await t.get('/workflow-info?workflow=text-to-image');
  expect(answer.status).toBe(200);
  const info = await parseBody<WorkflowInfo>(answer);
  expect(Object.keys(info).toSorted()).toEqual(
    ['3/cfg', '3/seed', '3/steps', '5/height', '5/width', '6/text', '7/text'].toSorted(),
  );
  expect(info['6/text']).toMatchObject({
    type: 'str',
    title: 'CLIP Text Encode (Prompt)',
    class: 'CLIPTextEncode',
    default: 'beautiful scenery nature glass bottle landscape, purple galaxy bottle',
    required: true,
    order: 1,
  });
  expect(info['3/steps']).toMatchObject({ type: 'int', class: 'KSampler', default: 20, min: 1, max: 60 });
  expect(info['3/cfg']).toMatchObject({ type: 'float', default: 8, min: 1, max: 20 });
});

test('pictures are told as such, options are listed, description images come along', async () => {
  await using t = await startBridge();
  const info = await parseBody<WorkflowInfo>(t.get('/workflow-info?workflow=image-to-image'));
  const image = await readFile(join(workflowsDir, 'descimage/i2i_input.png'));
  expect(info['10/image']).toMatchObject({
    type: 'str',
    title: 'Load Image',
    class: 'LoadImage',
    default: 'i2i_example.jpg',
    format: 'image',
    descimage: image.toString('base64'),
  });
  const upscale = await parseBody<WorkflowInfo>(t.get('/workflow-info?workflow=upscale'));
  expect(upscale['2/upscale_method']?.options).toContain('lanczos');
});

test('without any ComfyUI the types come from the file itself', async () => {
  await using t = await startBridge({ sims: 0 });
  const info = await parseBody<WorkflowInfo>(t.get('/workflow-info?workflow=text-to-image'));
  expect(['3/steps', '3/cfg', '6/text'].map((key) => info[key]?.type)).toEqual(['int', 'float', 'str']);
});

test('an unknown alias is 400 that names the known ones; so is a missing one', async () => {
  await using t = await startBridge({ sims: 0 });
  for (const query of ['?workflow=nope', '', '?workflow=', '?workflow=a&workflow=b']) {
    const answer = await t.get(`/workflow-info${query}`);
    expect(answer.status, query).toBe(400);
    expect(await detailOf(answer)).toMatch(/text-to-image/);
  }
});

test('the defaults of the info can be sent back as they are', async () => {
  await using t = await startBridge();
  const info = await parseBody<WorkflowInfo>(t.get('/workflow-info?workflow=image-to-image'));
  const values = Object.fromEntries(Object.entries(info).map(([key, entry]) => [key, entry.default]));
  await submit(t, 'one', { workflow: 'image-to-image', ...values });
  expect((await t.sim.nextPrompt()).prompt['15']?.inputs['seed']).toBe(values['15/seed']);
});
