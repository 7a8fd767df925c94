import { createHash } from 'node:crypto';
import type { NodeValue } from './nodes/node-value.ts';
import type { ObjectInfo } from './object-info.ts';
import type { ApiPrompt, NodeId, NodeMeta, UiOutput } from './wire.ts';
import { isLink } from './wire.ts';

export interface CachedNode {
  values: NodeValue[];
  ui?: { output: UiOutput; meta: NodeMeta };
}

/**
 * What earlier prompts computed. A node is known by its class, its values and those of all it depends on, not by
 * its id; what the current prompt does not use is forgotten.
 */
export class NodeCache {
  #entries = new Map<string, CachedNode>();
  #keys = new Map<NodeId, string>();

  /** `contentOf` gives the hash of an input file that a node loads, so that a changed file is loaded again. */
  setPrompt(prompt: ApiPrompt, info: ObjectInfo, contentOf: (node: NodeId) => string): void {
    this.#keys = new Map();
    for (const id of Object.keys(prompt)) this.#sign(id, prompt, info, contentOf);
    const kept = new Map<string, CachedNode>();
    for (const key of this.#keys.values()) {
      const entry = this.#entries.get(key);
      if (entry) kept.set(key, entry);
    }
    this.#entries = kept;
  }

  get(id: NodeId): CachedNode | undefined {
    const key = this.#keys.get(id);
    return key === undefined ? undefined : this.#entries.get(key);
  }

  set(id: NodeId, entry: CachedNode): void {
    const key = this.#keys.get(id);
    if (key !== undefined) this.#entries.set(key, entry);
  }

  /** The signature of a node of the current prompt: equal for equal work. */
  key(id: NodeId): string {
    return this.#keys.get(id) ?? id;
  }

  clear(): void {
    this.#entries.clear();
  }

  #sign(
    id: NodeId,
    prompt: ApiPrompt,
    info: ObjectInfo,
    contentOf: (node: NodeId) => string,
    path?: Set<NodeId>,
  ): string {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const node = prompt[id];
    // A link to nowhere, or a cycle: nothing to cache under, so never equal to anything.
    if (!node || path?.has(id)) return `#${id}#${Math.random()}`;
    const below = new Set(path).add(id);
    const parts: string[] = [node.class_type, contentOf(id)];
    const hidden = info[node.class_type]?.input.hidden ?? {};
    if (Object.values(hidden).includes('UNIQUE_ID')) parts.push(id);
    for (const name of Object.keys(node.inputs ?? {}).sort()) {
      const value = node.inputs[name];
      const text = isLink(value)
        ? `@${this.#sign(value[0], prompt, info, contentOf, below)}.${value[1]}`
        : JSON.stringify(value);
      parts.push(`${name}=${text}`);
    }
    const key = createHash('sha1').update(parts.join('\u0000')).digest('base64');
    this.#keys.set(id, key);
    return key;
  }
}
