import { describe, expect, test } from 'vitest';

import { needsOf, offering, promptOf } from './_definitions.ts';
import { nodeClassesOf } from './needs.ts';
import { seededRuns } from './_random.ts';

const fleet = offering({
  CheckpointLoaderSimple: { ckpt_name: { v1: ['sdxl.safetensors', 'sd15.ckpt'] } },
  LoraLoader: { lora_name: { spec: ['COMBO', { options: ['details.safetensors'] }] } },
  KSampler: {
    sampler_name: { v1: ['euler', 'ddim'] },
    steps: { spec: ['INT', { default: 20 }] },
    model: { spec: ['MODEL', {}] },
  },
  Upscale: { factor: { v1: [2, 4] }, tiled: { spec: ['COMBO', { options: [true, false] }] } },
  LoadImage: { image: { spec: [['here.png', 'weights.pt'], { image_upload: true }] } },
  SaveImage: { filename_prefix: { spec: ['STRING', {}] } },
});

function choicesOf(...nodes: Parameters<typeof promptOf>) {
  return needsOf(promptOf(...nodes), fleet).choices.map(({ value }) => value);
}

test('the classes of a prompt are needed, sorted and each once', () => {
  const prompt = promptOf(['SaveImage', {}], ['KSampler', {}], ['KSampler', {}]);
  expect(nodeClassesOf(prompt)).toEqual(['KSampler', 'SaveImage']);
  expect(needsOf(prompt, fleet).nodeClasses).toEqual(['KSampler', 'SaveImage']);
});

test('a class that nobody has is needed all the same', () => {
  expect(needsOf(promptOf(['Unheard', { mode: 'x' }]), fleet)).toMatchObject({
    nodeClasses: ['Unheard'],
    choices: [],
  });
});

test('every choice from a list is needed, of old nodes and of new ones', () => {
  expect(
    needsOf(
      promptOf(
        ['CheckpointLoaderSimple', { ckpt_name: 'sd15.ckpt' }],
        ['LoraLoader', { lora_name: 'details.safetensors' }],
        ['KSampler', { sampler_name: 'ddim' }],
      ),
      fleet,
    ).choices,
  ).toEqual([
    { classType: 'CheckpointLoaderSimple', inputName: 'ckpt_name', value: 'sd15.ckpt' },
    { classType: 'KSampler', inputName: 'sampler_name', value: 'ddim' },
    { classType: 'LoraLoader', inputName: 'lora_name', value: 'details.safetensors' },
  ]);
});

test('numbers and booleans can be choices', () => {
  expect(choicesOf(['Upscale', { factor: 4, tiled: false }])).toEqual([4, false]);
});

test('numbers, texts and links are no choices where there is no list', () => {
  expect(
    choicesOf(
      ['KSampler', { steps: 20, model: ['2', 0], sampler_name: ['3', 0], seed: 1, extra: null }],
      ['SaveImage', { filename_prefix: 'a.safetensors' }],
    ),
  ).toEqual([]);
});

describe('a value that nobody lists', () => {
  test('is needed when it names a file of weights', () => {
    expect(choicesOf(['CheckpointLoaderSimple', { ckpt_name: 'new.safetensors' }])).toEqual([
      'new.safetensors',
    ]);
  });

  test('is not needed otherwise: the node may check it by code of its own', () => {
    expect(choicesOf(['KSampler', { sampler_name: 'my_sampler' }], ['Upscale', { factor: 3 }])).toEqual([]);
  });

  test('is not needed where a client may upload it, whatever it is called', () => {
    expect(choicesOf(['LoadImage', { image: 'mine.pt' }])).toEqual([]);
  });
});

test('a file that the bridge brings along is not needed, though the fleet has one of that name', () => {
  const prompt = promptOf(['LoadImage', { image: 'here.png' }], ['LoadImage', { image: 'here.png' }]);
  const stagedIn = (...ids: string[]) =>
    needsOf(prompt, fleet, (nodeId, name) => ids.includes(nodeId) && name === 'image').choices;
  expect(stagedIn('1', '2')).toEqual([]);
  expect(stagedIn('1')).toHaveLength(1);
});

test('models are the files of weights among the choices: sorted, each once, with slashes', () => {
  const definitions = offering({
    Loader: { name: { v1: ['z.ckpt', 'flux\\a.sft', 'flux/a.sft', 'default'] } },
  });
  const { models } = needsOf(
    promptOf(
      ['Loader', { name: 'z.ckpt' }],
      ['Loader', { name: 'flux\\a.sft' }],
      ['Loader', { name: 'flux/a.sft' }],
      ['Loader', { name: 'default' }],
    ),
    definitions,
  );
  expect(models).toEqual(['flux/a.sft', 'z.ckpt']);
});

describe('the key', () => {
  const nodes: Parameters<typeof promptOf> = [
    ['CheckpointLoaderSimple', { ckpt_name: 'sdxl.safetensors' }],
    ['KSampler', { sampler_name: 'euler', steps: 20 }],
    ['KSampler', { sampler_name: 'ddim', steps: 5 }],
    ['Upscale', { factor: 2, tiled: true }],
  ];
  const keyOf = (...changed: typeof nodes) => needsOf(promptOf(...changed), fleet).key;

  test('is equal for equal needs, in whatever order their nodes come, and with whatever numbers', () => {
    for (const { random } of seededRuns(20)) {
      const shuffled = random.shuffle(nodes).map(([classType, inputs]): [string, Record<string, unknown>] => {
        const entries = random.shuffle(Object.entries(inputs));
        return [classType, { ...Object.fromEntries(entries), seed: random.between(0, 1e9) }];
      });
      expect(keyOf(...shuffled)).toBe(keyOf(...nodes));
    }
  });

  test('differs by class, by input, by value and by type of value', () => {
    const keys = [
      keyOf(...nodes),
      keyOf(...nodes, ['SaveImage', {}]),
      keyOf(...nodes, ['CheckpointLoaderSimple', { ckpt_name: 'sd15.ckpt' }]),
      keyOf(...nodes, ['Upscale', { factor: 4 }]),
      keyOf(...nodes, ['Upscale', { tiled: false }]),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test('a prompt of a thousand nodes is read in well under a second', () => {
  const files = Array.from({ length: 20_000 }, (_, index) => `loras/${index}.safetensors`);
  const definitions = offering({
    LoraLoader: { lora_name: { v1: files }, strength: { spec: ['FLOAT', {}] } },
  });
  const prompt = promptOf(
    ...Array.from({ length: 1_000 }, (_, index): [string, Record<string, unknown>] => [
      'LoraLoader',
      { lora_name: `loras\\${index * 7}.safetensors`, strength: 1, model: [String(index), 0] },
    ]),
  );
  const start = performance.now();
  for (let round = 0; round < 10; round += 1) needsOf(prompt, definitions);
  expect(performance.now() - start).toBeLessThan(2_000);
  expect(needsOf(prompt, definitions).choices).toHaveLength(1_000);
});
