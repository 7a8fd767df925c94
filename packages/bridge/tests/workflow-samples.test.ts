import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isLink } from '@comfy-bridge/protocol';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';

import { bindInputs } from '../src/workflows/inputs/bind-inputs.ts';
import { describeInputs } from '../src/workflows/inputs/describe-inputs.ts';
import { findDefinition } from '../src/workflows/fixtures/find-definition.ts';
import { createWorkflowCatalog } from '../src/workflows/catalog/workflow-catalog.ts';

const workflowDir = fileURLToPath(new URL('../../../workflows', import.meta.url));
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const catalog = await createWorkflowCatalog(
  { workflowDir, aliasFile: join(workflowDir, 'workflow_alias.json'), log: silent },
  { watch: false, maxAgeMs: Infinity },
);
const samples = catalog.list();

const needsModel = new Set(['text-to-image', 'image-to-image', 'upscale-with-model']);
const bindDeps = {
  findDefinition,
  isUploaded: () => false,
  isSample: (name: string) => catalog.isSample(name),
};

it('the samples are published without a problem, each under its alias', () => {
  expect(catalog.problems()).toEqual([]);
  expect(samples.map(({ alias }) => alias)).toEqual([
    'text-to-image',
    'image-to-image',
    'upscale',
    'upscale-with-model',
    'blend',
    'crop-and-resize',
    'batch',
    'enhance',
    'flip-and-rotate',
  ]);
});

it('image-to-image offers the keys that clients of the original know', () => {
  const workflow = catalog.get('image-to-image');
  expect(workflow?.inputs.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['6/text', '10/image', '15/seed']),
  );
  expect(workflow?.inputs.find(({ key }) => key === '10/image')?.default).toBe('i2i_example.jpg');
});

describe.each(samples.map((workflow) => [workflow.alias, workflow] as const))(
  'the sample %s',
  (alias, workflow) => {
    const info = describeInputs(workflow, findDefinition);

    it('has only core nodes, with the inputs that they have and need', () => {
      for (const [nodeId, node] of Object.entries(workflow.prompt)) {
        const definition = findDefinition(node.class_type);
        expect(definition, `${nodeId}: ${node.class_type}`).toBeDefined();
        const required = [...(definition?.inputs ?? [])]
          .filter(([, spec]) => spec.required)
          .map(([name]) => name);
        expect(Object.keys(node.inputs).toSorted(), nodeId).toEqual(required.toSorted());
      }
    });

    it('links outputs to inputs of their type', () => {
      for (const [nodeId, node] of Object.entries(workflow.prompt)) {
        for (const [name, value] of Object.entries(node.inputs)) {
          if (!isLink(value)) continue;
          const from = findDefinition(workflow.prompt[value[0]]?.class_type ?? '');
          const type = findDefinition(node.class_type)?.inputs.get(name)?.type;
          expect(from?.outputs[value[1]], `${nodeId}/${name}`).toBe(type);
        }
      }
    });

    it('has literals within what the nodes allow', () => {
      for (const [nodeId, node] of Object.entries(workflow.prompt)) {
        for (const [name, value] of Object.entries(node.inputs)) {
          const spec = findDefinition(node.class_type)?.inputs.get(name);
          if (typeof value === 'number') {
            expect(value, `${nodeId}/${name}`).toBeGreaterThanOrEqual(spec?.min ?? -Infinity);
            expect(value, `${nodeId}/${name}`).toBeLessThanOrEqual(spec?.max ?? Infinity);
          }
          if (spec?.options?.length) expect(spec.options, `${nodeId}/${name}`).toContain(value);
        }
      }
    });

    it('has defaults that its own marks allow, and results', () => {
      for (const [key, entry] of Object.entries(info)) {
        const bound = bindInputs(
          workflow,
          { [key]: typeof entry.default === 'number' ? String(entry.default) : entry.default },
          bindDeps,
        );
        expect(bound, key).toMatchObject({ ok: true });
      }
      const outputs = Object.entries(workflow.prompt).filter(
        ([, node]) => findDefinition(node.class_type)?.outputNode,
      );
      expect(outputs.length).toBeGreaterThan(0);
      for (const nodeId of workflow.outputNodes) expect(outputs.map(([id]) => id)).toContain(nodeId);
    });

    it('brings its input pictures along', () => {
      const bound = bindInputs(workflow, {}, bindDeps);
      const loaders = Object.values(workflow.prompt).filter((node) => node.class_type === 'LoadImage');
      expect(bound.ok && bound.stagedInputs.map(({ source }) => source.kind)).toEqual(
        loaders.map(() => 'sample'),
      );
    });

    it('needs a model only if it is said to', () => {
      const loads = Object.values(workflow.prompt).some((node) =>
        /^(Checkpoint|UpscaleModel)Loader/.test(node.class_type),
      );
      expect(loads).toBe(needsModel.has(alias));
    });

    it('has a description in two languages, a small square thumbnail and its description images', async () => {
      expect(workflow.description).toMatch(/^[A-Z].+ \/ .*[가-힣]/);
      const thumbnail = Buffer.from((await catalog.readThumbnail(workflow)) ?? '', 'base64');
      expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 256, height: 256 });
      expect(thumbnail.length).toBeLessThan(25_000);
      const descimages = await catalog.readDescImages(workflow);
      expect([...descimages.keys()]).toEqual([
        ...new Set(workflow.inputs.flatMap((input) => input.descimages)),
      ]);
    });
  },
);

it('sample pictures are small and whole', async () => {
  const folder = join(workflowDir, 'input');
  const names = await readdir(folder);
  expect(names.toSorted()).toEqual(['i2i_example.jpg', 'sample_a.png', 'sample_b.png']);
  for (const name of names) {
    expect((await stat(join(folder, name))).size).toBeLessThan(60_000);
    await expect(sharp(join(folder, name)).stats()).resolves.toBeDefined();
  }
  expect(existsSync(join(workflowDir, 'README.md'))).toBe(true);
});
