/** The official TypeScript SDK, through the bridge, on a real ComfyUI: `COMFY_URL=http://127.0.0.1:8188 npm test -- test/real`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { InvalidWorkflow, JobFailed } from '@comfyorg/sdk';
import type { ComfyEvent } from '@comfyorg/sdk';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';

import { makePng, scaleGraph, startSdkRig } from '../sdk/_sdk-rig.ts';
import type { Graph } from '../sdk/_sdk-rig.ts';

const comfyUrl = process.env['COMFY_URL'];

describe.runIf(comfyUrl !== undefined)('the SDK on a real ComfyUI', () => {
  const start = () => startSdkRig({ sims: 0, env: { COMFYUI_SERVERS: comfyUrl ?? '' } });

  test('a picture goes up, is scaled, and comes back', async () => {
    await using rig = await start();
    const { client } = rig;
    const asset = client.assets.fromBytes(await makePng('#c83214'), { filename: 'red.png' });
    const workflow = client.workflows.fromJson(scaleGraph());
    workflow.setInput('1', 'image', asset);
    const job = await client.submit(workflow);
    const events: ComfyEvent[] = [];
    for await (const event of job.events()) events.push(event);
    expect(events.at(-1)).toMatchObject({ kind: 'statusChange', status: 'succeeded' });
    expect(events.filter(({ kind }) => kind === 'outputReady')).toHaveLength(1);
    await job.result();
    const picture = await sharp(await job.getOutputs('3')[0]?.toBytes()).stats();
    expect(picture.dominant.r).toBeGreaterThan(180);
    expect(asset.createdNew).toBe(true);
  });

  test('every kind of output arrives: picture, preview, text, latent', async () => {
    await using rig = await start();
    const graph: Graph = {
      '1': {
        class_type: 'EmptyImage',
        inputs: { width: 32, height: 32, batch_size: 1, color: Date.now() & 0xffffff },
      },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'sdk-kinds' } },
      '3': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
      '4': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
      '5': { class_type: 'SaveLatent', inputs: { samples: ['4', 0], filename_prefix: 'sdk-kinds' } },
      '6': { class_type: 'PreviewAny', inputs: { source: ['1', 0] } },
    };
    const job = await rig.client.run(rig.client.workflows.fromJson(graph));
    const kinds = job.outputs.map(({ nodeId, type }) => `${nodeId} ${type}`).toSorted();
    expect(kinds).toEqual(['2 image', '3 image', '5 latent', '6 text']);
    for (const output of job.outputs) expect((await output.toBytes()).length).toBe(output.sizeBytes);
  });

  test('what it would refuse is refused before, node by node', async () => {
    await using rig = await start();
    const graph = scaleGraph();
    const scale = graph['2'];
    if (scale !== undefined) scale.inputs = { ...scale.inputs, width: -1, image: ['9', 0] };
    const refusal = await rig.client.submit(rig.client.workflows.fromJson(graph)).catch((e: unknown) => e);
    expect(refusal).toBeInstanceOf(InvalidWorkflow);
    expect(refusal).toMatchObject({
      details: {
        node_errors: {
          '2': [
            expect.objectContaining({ field: 'image', reason: 'bad_linked_input' }),
            expect.objectContaining({ field: 'width', reason: 'value_smaller_than_min' }),
          ],
        },
      },
    });
  });

  test('a choice that only the machine can judge fails there, with its reason', async () => {
    await using rig = await start();
    const graph = scaleGraph();
    const scale = graph['2'];
    if (scale !== undefined) scale.inputs['upscale_method'] = 'no-such-method';
    const workflow = rig.client.workflows.fromJson(graph);
    workflow.setInput(
      '1',
      'image',
      rig.client.assets.fromBytes(await makePng('#112233'), { filename: 'a.png' }),
    );
    const failure = await rig.client.run(workflow).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(JobFailed);
    expect(failure).toMatchObject({ error: { code: 'invalid_workflow', node_id: '2' } });
  });

  test('every model-free sample passes the check and runs as a graph', async () => {
    await using rig = await start();
    const { client } = rig;
    const picture = client.assets.fromBytes(await makePng('#336699'), { filename: 'sample.png' });
    for (const name of ['upscale', 'blend', 'crop-and-resize', 'enhance', 'flip-and-rotate']) {
      const file = join(import.meta.dirname, '../../workflows', `${name}.json`);
      const graph = JSON.parse(await readFile(file, 'utf8')) as Graph;
      const workflow = client.workflows.fromJson(graph);
      for (const [id, { class_type }] of Object.entries(graph))
        if (class_type === 'LoadImage') workflow.setInput(id, 'image', picture);
      const job = await client.run(workflow);
      expect(job.outputs.length, name).toBeGreaterThan(0);
    }
  });
});
