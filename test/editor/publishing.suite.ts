import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'vitest';
import type { Locator } from 'playwright-core';

import { eventually } from './_eventually.ts';
import { dialog, execute, openMarked } from './_author.ts';
import type { Editor } from './_open-editor.ts';
import { forgetResults, lastSaved, pixelsOf } from './_results.ts';
import type { Steps } from './_steps.ts';
import { operatorToken } from './_world.ts';

/** Chromium's own lines about requests that fail on purpose here. */
const failing = [/Failed to load resource/, /blocked by CORS policy/];

/** The dialog "Publish…", against a real bridge whose only ComfyUI is the one that serves the editor. */
export function publishingSuite({ each, once }: Steps): void {
  once(
    'what cannot be published says why, and publishes nothing',
    async (editor) => {
      const { bridge, sim } = editor.world;
      await openMarked(editor);
      const form = await openForm(editor);
      const dead = await deadAddress();
      const cases = [
        [{ token: '' }, 'The bridge wants its operator token.'],
        [{ token: 'wrong' }, 'The bridge does not accept the operator token.'],
        [{ address: 'nonsense' }, 'The address must begin with http:// or https://.'],
        [{ address: sim.url }, `What answers at ${sim.url} is not a bridge`],
        [{ address: dead }, `Nothing answers at ${dead}.`],
        [{ alias: '' }, 'Give it a name.'],
        [{ alias: 'a/b' }, 'The bridge refused it (400):'],
      ] as const;
      for (const [wrong, message] of cases) {
        await fill(form, { address: bridge.url, token: operatorToken, alias: 'never', ...wrong });
        await form.getByRole('button', { name: 'Publish', exact: true }).click();
        await form.getByRole('status').getByText(message).first().waitFor();
      }
      await editor.shoot('publish-refused');
      expect(await published(editor)).not.toContain('never');
      await close(editor);
    },
    { expected: failing },
  );

  each(
    'publishes, and the printed curl gives the picture that the editor makes',
    async (editor) => {
      const alias = `lighthouse-${editor.options.renderer}`;
      await openMarked(editor);
      await queueAndWait(editor);
      const form = await openForm(editor);
      await fill(form, { address: editor.world.bridge.url, token: operatorToken, alias });
      await form.getByRole('button', { name: 'Publish', exact: true }).click();
      const said = form.getByRole('status');
      await said.getByText(`Published as "${alias}"`).waitFor();
      await said.getByText('The bridge has a ComfyUI that can run it.').waitFor();
      await editor.shoot('published');
      const thumbnail = await editor.world.bridge.get(`/api/bridge/workflows/${alias}/thumbnail`);
      expect(thumbnail.headers.get('content-type')).toBe('image/webp');
      expect(await pixelsOf(new Uint8Array(await thumbnail.arrayBuffer()))).toMatchObject({
        width: 96,
        height: 64,
      });

      const ownPicture = await pixelsOf(lastSaved(editor));
      await forgetResults(editor);
      const made = await runCurl(await said.locator('.cb-code').innerText());
      expect(await pixelsOf(made)).toEqual(ownPicture);

      await form.getByRole('button', { name: 'Publish', exact: true }).click();
      await said.getByText(`"${alias}" is published already.`).waitFor();
      await form.getByLabel('Description').fill('Another one');
      await form.getByText('Replace what is published under this name').click();
      await form.getByRole('button', { name: 'Publish', exact: true }).click();
      await said.getByText(`Published as "${alias}"`).waitFor();
      const now = await editor.world.bridge.get(`/api/bridge/workflows/${alias}`);
      expect(await now.json()).toMatchObject({ description: 'Another one' });
      await close(editor);
    },
    { expected: [/status of 409/] },
  );
}

async function openForm(editor: Editor): Promise<Locator> {
  await editor.page.locator('[data-focus-key="publish"]').click();
  await dialog(editor).waitFor();
  return dialog(editor);
}

async function close(editor: Editor): Promise<void> {
  await editor.page.keyboard.press('Escape');
  await dialog(editor).waitFor({ state: 'detached' });
}

async function fill(
  form: Locator,
  { address, token, alias }: Record<'address' | 'token' | 'alias', string>,
): Promise<void> {
  await form.getByLabel('Address of the bridge').fill(address);
  await form.getByLabel('Operator token of the bridge').fill(token);
  await form.getByLabel('Name in the API').fill(alias);
  await form.getByLabel('Name in the API').press('Tab');
}

async function published({ world }: Editor): Promise<string[]> {
  const response = await world.bridge.get('/api/bridge/workflows');
  const { workflows } = (await response.json()) as { workflows: { alias: string }[] };
  return workflows.map(({ alias }) => alias);
}

/** Runs the workflow with the editor's own button, whose picture becomes the thumbnail. */
async function queueAndWait(editor: Editor): Promise<void> {
  await forgetResults(editor);
  await keepSeed(editor);
  const { sim } = editor.world;
  const before = sim.files('output').length;
  await execute(editor, 'Comfy.QueuePrompt');
  await eventually(() => sim.files('output').length).toBe(before + 1);
}

/** Else the editor takes another seed after each run, and that is what gets published. */
async function keepSeed({ page }: Editor): Promise<void> {
  await page.evaluate(() => {
    const { app } = comfyAPI.app;
    const node = (app.rootGraph ?? app.graph).getNodeById(3);
    const control = node?.widgets?.find(({ name }) => name === 'control_after_generate');
    if (control !== undefined) control.value = 'fixed';
  });
}

/** Runs the line as a caller pastes it into a shell. Gives the picture that it writes. */
async function runCurl(line: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'editor-curl-'));
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: folder, timeout: 30_000 });
    expect(stdout).toBe('200 image/png\n');
    const [file = ''] = await readdir(folder);
    return await readFile(join(folder, file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An address of this machine where nothing listens. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
