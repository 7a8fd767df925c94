import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { InputSpec, NodeDefinition } from '@comfy-bridge/comfy-sim';

type Graph = Record<string, { class_type: string; inputs: Record<string, unknown>; _meta: object }>;

/** A folder of workflows, by alias, that is removed at the end. */
export async function makeCatalogue(
  workflows: Record<string, { graph: Graph; description?: string }>,
): Promise<AsyncDisposable & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'console-catalogue-'));
  await mkdir(join(folder, 'input'));
  const entries = Object.entries(workflows).map(([alias, { description = '' }], index) => ({
    ...{ alias, fn: `${index}.json`, description },
  }));
  await writeFile(join(folder, 'workflow_alias.json'), JSON.stringify(entries));
  for (const [index, { graph }] of Object.values(workflows).entries())
    await writeFile(join(folder, `${index}.json`), JSON.stringify(graph));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

interface Mark {
  name: string;
  label?: string;
  [more: string]: unknown;
}

/** A node with marked inputs. */
export function node(
  class_type: string,
  inputs: Record<string, unknown>,
  marks: readonly Mark[] = [],
): Graph[string] {
  const named = { apiinput: marks.map(({ name }) => name).join(','), bridge: { v: 1, inputs: marks } };
  return { class_type, inputs, _meta: { title: class_type, ...(marks.length > 0 && named) } };
}

/** A picture that is saved as it is: nothing to wait for. */
export const plain: Graph = {
  '1': node('EmptyImage', { width: 64, height: 64, batch_size: 1, color: 255 }, [
    { name: 'width', label: 'Width', min: 16, max: 512 },
  ]),
  '2': node('SaveImage', { filename_prefix: 'made', images: ['1', 0] }),
};

/** So many texts, and then the picture. */
export function withManyInputs(count: number): Graph {
  const texts = Array.from({ length: count }, (_, index): [string, Graph[string]] => [
    String(100 + index),
    node('CLIPTextEncode', { text: `text ${index + 1}`, clip: ['4', 1] }, [
      { name: 'text', label: `Field ${index + 1}` },
    ]),
  ]);
  return {
    ...plain,
    '4': node('CheckpointLoaderSimple', { ckpt_name: 'v1-5-pruned-emaonly-fp16.safetensors' }),
    ...Object.fromEntries(texts),
  };
}

/** A node class of one's own. */
export function definition(name: string, required: Record<string, InputSpec>): NodeDefinition {
  return {
    input: { required },
    input_order: { required: Object.keys(required) },
    output: [],
    output_is_list: [],
    output_name: [],
    name,
    display_name: name,
    description: '',
    python_module: 'nodes',
    category: 'odd',
    output_node: true,
  };
}
