import type { NodeInputSpec } from '../comfy/object-info.ts';
import { normalizePath } from './model-file.ts';

type Options = NonNullable<NodeInputSpec['options']>;
type Option = Options[number];

/** By list: backends that share a list of 20,000 files share its index too. */
const indexes = new WeakMap<Options, Map<Option, Option>>();

/**
 * How this list spells a choice; undefined when it does not have it. Exactly, if it can be; else a path matches whatever its
 * separators are, and a number its text: the prompt is rewritten to what the list has, for ComfyUI compares exactly.
 */
export function findOption(options: Options, value: Option): Option | undefined {
  const index = indexOf(options);
  const exact = index.get(value);
  if (exact !== undefined) return exact;
  if (typeof value === 'boolean') return undefined;
  return index.get(typeof value === 'string' ? normalizePath(value) : String(value));
}

function indexOf(options: Options): Map<Option, Option> {
  let index = indexes.get(options);
  if (index !== undefined) return index;
  index = new Map(options.map((option) => [option, option]));
  for (const option of options) {
    if (typeof option !== 'string') continue;
    const key = normalizePath(option);
    if (!index.has(key)) index.set(key, option);
  }
  indexes.set(options, index);
  return index;
}
