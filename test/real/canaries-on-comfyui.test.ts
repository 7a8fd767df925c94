/**
 * Canaries on a real ComfyUI, with nothing but its own nodes: runs only where `COMFY_URL` names one, e.g.
 * `COMFY_URL=http://127.0.0.1:8188 npm test -- test/real`.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { describe, expect, test } from 'vitest';

import { createComfyClient } from '../../packages/bridge/src/comfy/comfy-client.ts';
import type { ComfyClient } from '../../packages/bridge/src/comfy/comfy-client.ts';
import { parseObjectInfo } from '../../packages/bridge/src/comfy/object-info.ts';
import { readOutputs } from '../../packages/bridge/src/comfy/read-outputs.ts';
import { encodePng, readPixels } from '../../packages/bridge/src/files/picture-pixels.ts';
import { canaryStepKinds, isOffered } from '../../packages/bridge/src/scheduling/trust/canary-steps.ts';
import { compareRasters } from '../../packages/bridge/src/scheduling/trust/compare-rasters.ts';
import type { Canary } from '../../packages/bridge/src/scheduling/trust/make-canary.ts';
import { makeCanary } from '../../packages/bridge/src/scheduling/trust/make-canary.ts';
import { startBridge } from '../../packages/bridge/tests/_start-bridge.ts';
import { canariesOf } from '../../packages/bridge/tests/_trust.ts';

const comfyUrl = process.env['COMFY_URL'];
const count = 5;

describe.runIf(comfyUrl !== undefined)('a real ComfyUI', () => {
  test('ten canaries in a row are right, and nothing of them stays in its history', async () => {
    const listHistory = async () =>
      Object.keys(JSON.parse(await (await fetch(`${comfyUrl}/history`)).text()));
    const before = await listHistory();
    {
      await using t = await startBridge({
        sims: 0,
        env: { COMFYUI_SERVERS: comfyUrl ?? '', CANARY_INTERVAL: '0.1' },
      });
      const [backend] = t.bridge.fleet.backends;
      await expect.poll(() => canariesOf(t, backend?.name).length, { timeout: 60_000 }).toBe(10);
      expect(canariesOf(t, backend?.name)).not.toContain(false);
      expect(backend?.standing).toMatchObject({ doubts: [], unanswered: 0 });
    }
    await expect.poll(listHistory).toEqual(before);
  }, 90_000);

  test.each(canaryStepKinds.map((kind) => [kind.needs[0]?.classType ?? '', kind] as const))(
    '%s gives what the bridge computes, to a level of 255',
    async (name, kind) => {
      await using client = createComfyClient({ url: comfyUrl ?? '' });
      const definitions = parseObjectInfo(await (await fetch(`${comfyUrl}/object_info`)).json());
      expect(isOffered(kind, definitions)).toBe(true);
      const classes = ['LoadImage', 'SaveImage', ...kind.needs.map(({ classType }) => classType)];
      const only = new Map([...definitions].filter(([classType]) => classes.includes(classType)));
      let largest = 0;
      for (let made = 0; made < count; made += 1) {
        const canary = makeCanary(only, Math.random);
        if (canary === undefined) throw new Error(`no canary of ${name}`);
        const picture = await run(client, canary, await encodePng(canary.input));
        const difference = compareRasters(canary.expected, picture);
        expect(difference, `${picture.width}×${picture.height}`).toBeDefined();
        largest = Math.max(largest, difference?.largest ?? 1);
      }
      expect(largest).toBeLessThanOrEqual(1 / 255);
    },
    60_000,
  );
});

async function run(
  client: ComfyClient,
  { prompt, loadNode }: Pick<Canary, 'prompt' | 'loadNode'>,
  png: Buffer,
) {
  const promptId = randomUUID();
  const name = await client.uploadInput({
    ...{ fileName: `${promptId}-1.png`, contentType: 'image/png', size: png.length, subfolder: 'bridge' },
    body: Readable.from([png]),
  });
  const loader = prompt[loadNode];
  if (loader !== undefined) loader.inputs['image'] = name;
  const answer = await client.submitPrompt({ prompt, promptId, clientId: promptId, previews: false });
  expect(answer).toMatchObject({ ok: true });
  await expect.poll(() => client.history(promptId), { timeout: 30_000 }).toBeDefined();
  const history = await client.history(promptId);
  const [file] = readOutputs(history?.outputs).files;
  if (file === undefined) throw new Error(`no picture: ${JSON.stringify(history)}`);
  const content = await buffer((await client.view(file)).body);
  const picture = await readPixels(content, { maxPixels: 1_000_000, maxDimension: 1_000 });
  if (picture === undefined) throw new Error('what came cannot be read');
  await client.forgetPrompts([promptId]);
  return picture;
}
