import type { NodeDefinition } from '@comfy-bridge/comfy-sim';

/** Node classes that every ComfyUI has: the editor's list of models looks them up by name, and fails without them. */
const names = `ImageOnlyCheckpointLoader LoraLoader LoraLoaderModelOnly VAELoader ControlNetLoader UNETLoader
  StyleModelLoader GLIGENLoader CLIPVisionLoader CLIPLoader HypernetworkLoader unCLIPCheckpointLoader`.split(
  /\s+/,
);

export const loaders = Object.fromEntries(names.map((name) => [name, loader(name)]));

function loader(name: string): NodeDefinition {
  return {
    input: { required: { name: [['none'], {}] } },
    input_order: { required: ['name'] },
    output: ['MODEL'],
    output_is_list: [false],
    output_name: ['MODEL'],
    name,
    display_name: name,
    description: '',
    python_module: 'nodes',
    category: 'loaders',
    output_node: false,
  };
}
