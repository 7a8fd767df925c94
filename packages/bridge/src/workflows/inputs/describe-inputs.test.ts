import { describe, expect, it } from 'vitest';

import type { WorkflowInfoEntry } from '@comfy-bridge/protocol';
import type { NodeDefinition, NodeInputSpec } from '../../comfy/object-info.ts';
import { stringifyLossless } from '../../lib/lossless-json.ts';
import { describeInputs } from './describe-inputs.ts';
import { findDefinition } from '../fixtures/find-definition.ts';
import { parseWorkflow } from '../catalog/parse-workflow.ts';
import type { PublishedWorkflow } from '../catalog/published-workflow.ts';

const nowhere = () => undefined;

function workflowWith(classType: string, name: string, value: string, mark = '{}'): PublishedWorkflow {
  const meta = `{"title": "T", "bridge": {"v": 1, "inputs": [${mark.replace('{', `{"name": "${name}"${mark === '{}' ? '' : ','}`)}]}}`;
  const text = `{"3": {"class_type": "${classType}", "inputs": {"${name}": ${value}}, "_meta": ${meta}}}`;
  const parsed = parseWorkflow({ fileName: 'x.json', text });
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.workflow;
}

function only(info: Record<string, WorkflowInfoEntry>): WorkflowInfoEntry {
  const [entry] = Object.values(info);
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

function defining(spec: NodeInputSpec): (classType: string) => NodeDefinition {
  return (classType) => ({
    classType,
    displayName: '',
    inputs: new Map([['v', spec]]),
    outputNode: false,
    outputs: [],
  });
}

describe('the description of an input', () => {
  it.each([
    ['20', 'int'],
    ['7.0', 'float'],
    ['7.5', 'float'],
    ['18446744073709551615', 'int'],
    ['true', 'bool'],
    ['"a"', 'str'],
    ['null', 'str'],
  ])('takes the type of %s from the file where no ComfyUI knows the class', (value, type) => {
    expect(only(describeInputs(workflowWith('Unknown', 'v', value), nowhere)).type).toBe(type);
  });

  it.each([
    ['cfg', '8', 'float'],
    ['seed', '8.0', 'int'],
    ['sampler_name', '"euler"', 'str'],
  ])('takes the type of %s from the definition where there is one', (name, value, type) => {
    expect(only(describeInputs(workflowWith('KSampler', name, value), findDefinition)).type).toBe(type);
  });

  it('has the original four keys alone where nothing more is known', () => {
    const workflow = workflowWith('CLIPTextEncode', 'text', '"beautiful scenery"');
    expect(describeInputs(workflow, nowhere)).toEqual({
      '3/text': { type: 'str', title: 'T', class: 'CLIPTextEncode', default: 'beautiful scenery' },
    });
  });

  it('gives limits that the definition knows; the limit of seeds stays within 64 bits', () => {
    const seed = only(
      describeInputs(workflowWith('KSampler', 'seed', '18446744073709551615'), findDefinition),
    );
    expect(seed.min).toBe(0);
    expect(BigInt(seed.max ?? 0)).toBeLessThanOrEqual(2n ** 64n - 1n);
    expect(BigInt(JSON.stringify(seed.max))).toBeLessThanOrEqual(2n ** 64n - 1n);
    expect(stringifyLossless(seed)).toContain('"default":18446744073709551615');
  });

  it('gives the options of a combo, and none for files of one backend', () => {
    expect(
      only(describeInputs(workflowWith('ImageFlip', 'flip_method', '"x"'), findDefinition)).options,
    ).toEqual(['x-axis: vertically', 'y-axis: horizontally']);
    const image = only(describeInputs(workflowWith('LoadImage', 'image', '"a.png"'), findDefinition));
    expect(image).toMatchObject({ type: 'str', format: 'image' });
    expect(image).not.toHaveProperty('options');
    const emptyList = workflowWith('UpscaleModelLoader', 'model_name', '"x.pth"');
    expect(only(describeInputs(emptyList, findDefinition))).not.toHaveProperty('options');
  });

  it.each([
    ['LoadImage', 'image', 'image'],
    ['LoadImageMask', 'image', 'mask'],
    ['LoadVideo', 'file', 'video'],
    ['VHS_LoadVideo', 'video', 'video'],
    ['LoadAudio', 'audio', 'audio'],
  ])('knows that %s takes a file, with and without a definition', (classType, name, format) => {
    const workflow = workflowWith(classType, name, '"a.bin"');
    expect(only(describeInputs(workflow, nowhere)).format).toBe(format);
    expect(only(describeInputs(workflow, findDefinition)).format).toBe(format);
  });

  it('recognises a loader of an unknown pack by its definition or by its mark', () => {
    const byDefinition = describeInputs(
      workflowWith('PackLoader', 'v', '"a.mp4"'),
      defining({ type: 'COMBO', required: true, options: ['a.mp4'], upload: 'video' }),
    );
    expect(only(byDefinition).format).toBe('video');
    expect(
      only(describeInputs(workflowWith('PackLoader', 'v', '"a.mp4"', '{"format": "video"}'), nowhere)).format,
    ).toBe('video');
  });
});

describe("the author's mark", () => {
  it('adds label, description, required and order', () => {
    const mark = '{"label": "씨앗", "description": "Same seed, same picture", "required": true, "order": 3}';
    expect(only(describeInputs(workflowWith('KSampler', 'seed', '1', mark), findDefinition))).toMatchObject({
      label: '씨앗',
      description: 'Same seed, same picture',
      required: true,
      order: 3,
    });
  });

  it.each([
    ['{"min": 5, "max": 50, "step": 5}', { min: 5, max: 50, step: 5 }],
    ['{"min": -5, "max": 99999}', { min: 1, max: 10000 }],
    ['{"min": 60, "max": 50}', { min: 1, max: 10000 }],
    ['{"max": -3}', { min: 1, max: 10000 }],
  ])('narrows the limits of steps (1 to 10000), never widens them: %s', (mark, limits) => {
    expect(only(describeInputs(workflowWith('KSampler', 'steps', '20', mark), findDefinition))).toMatchObject(
      limits,
    );
  });

  it('narrows options to those that exist, in its own order', () => {
    const mark = '{"options": ["lanczos", "none-such", "area"]}';
    const workflow = workflowWith('ImageScaleBy', 'upscale_method', '"area"', mark);
    expect(only(describeInputs(workflow, findDefinition)).options).toEqual(['lanczos', 'area']);
    expect(only(describeInputs(workflow, nowhere)).options).toEqual(['lanczos', 'none-such', 'area']);
  });

  it('may ask for whole numbers where the definition takes any, and nothing else against it', () => {
    const typed = (name: string, type: string) =>
      only(describeInputs(workflowWith('KSampler', name, '8', `{"type": "${type}"}`), findDefinition)).type;
    expect(typed('cfg', 'int')).toBe('int');
    expect(typed('cfg', 'bool')).toBe('float');
    expect(typed('seed', 'str')).toBe('int');
  });
});

it('carries description images as text for one and as a list for more', () => {
  const withImages = (names: string) => {
    const meta = `{"apiinput": "v", "descimage": ${names}}`;
    const parsed = parseWorkflow({
      fileName: 'x.json',
      text: `{"3": {"class_type": "A", "inputs": {"v": 1}, "_meta": ${meta}}}`,
    });
    if (!parsed.ok) throw new Error(parsed.problem);
    return only(
      describeInputs(parsed.workflow, nowhere, {
        descimages: new Map([
          ['a.png', 'QQ=='],
          ['b.png', 'Qg=='],
        ]),
      }),
    ).descimage;
  };
  expect(withImages('"a.png"')).toBe('QQ==');
  expect(withImages('["a.png", "b.png"]')).toEqual(['QQ==', 'Qg==']);
  expect(withImages('"gone.png"')).toBeUndefined();
});
