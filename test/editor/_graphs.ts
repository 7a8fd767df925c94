import type { NodeDefinition } from '@comfy-bridge/comfy-sim';

type Graph = Record<
  string,
  { class_type: string; inputs: Record<string, unknown>; _meta: { title: string } }
>;

/** The workflow that an author begins with: text to picture, as the editor numbers its nodes. */
export const picture: Graph = {
  '4': node('CheckpointLoaderSimple', { ckpt_name: 'v1-5-pruned-emaonly-fp16.safetensors' }),
  '5': node('EmptyLatentImage', { width: 96, height: 64, batch_size: 1 }),
  '6': node('CLIPTextEncode', { text: 'a lighthouse', clip: ['4', 1] }, 'Positive'),
  '7': node('CLIPTextEncode', { text: 'blur', clip: ['4', 1] }, 'Negative'),
  '3': node('KSampler', {
    seed: 7,
    steps: 2,
    cfg: 8,
    sampler_name: 'euler',
    scheduler: 'normal',
    denoise: 1,
    model: ['4', 0],
    positive: ['6', 0],
    negative: ['7', 0],
    latent_image: ['5', 0],
  }),
  '8': node('VAEDecode', { samples: ['3', 0], vae: ['4', 2] }),
  '9': node('SaveImage', { filename_prefix: 'made', images: ['8', 0] }),
};

/** A node whose inputs are called as no caller would like them. */
export const oddNames: Graph = { '1': node('OddNames', { 'a/b': 'x', 'c,d': 'y', 한글: 'z', '': 'w' }) };

export const oddNode: NodeDefinition = {
  input: { required: { 'a/b': text(), 'c,d': text(), 한글: text(), '': text() } },
  input_order: { required: ['a/b', 'c,d', '한글', ''] },
  output: [],
  output_is_list: [],
  output_name: [],
  name: 'OddNames',
  display_name: 'Odd names',
  description: '',
  python_module: 'custom_nodes.odd',
  category: 'odd',
  output_node: true,
};

function node(class_type: string, inputs: Record<string, unknown>, title = class_type): Graph[string] {
  return { class_type, inputs, _meta: { title } };
}

function text(): [string, Record<string, unknown>] {
  return ['STRING', { default: '' }];
}
