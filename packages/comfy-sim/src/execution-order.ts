import type { ObjectInfo } from './object-info.ts';
import type { ApiPrompt, NodeId } from './wire.ts';
import { isLink } from './wire.ts';

/**
 * Yields the nodes to run, in the order in which a ComfyUI server takes them: an output node that is ready goes
 * first, then what feeds an output directly, then what feeds it over one node, else the one found first.
 * Cached nodes are not walked into; a cached output node is still yielded, since the server reports it again.
 */
export class ExecutionOrder {
  readonly #prompt: ApiPrompt;
  readonly #info: ObjectInfo;
  readonly #isCached: (id: NodeId) => boolean;
  readonly #pending = new Set<NodeId>();
  readonly #blockedBy = new Map<NodeId, number>();
  readonly #blocking = new Map<NodeId, Set<NodeId>>();

  constructor(
    prompt: ApiPrompt,
    info: ObjectInfo,
    isCached: (id: NodeId) => boolean,
    outputs: readonly NodeId[],
  ) {
    this.#prompt = prompt;
    this.#info = info;
    this.#isCached = isCached;
    for (const output of outputs) this.#add(output);
  }

  /** The next node, or undefined when all are done or the rest is a cycle. */
  next(): NodeId | undefined {
    const ready = [...this.#pending].filter((id) => this.#blockedBy.get(id) === 0);
    return (
      ready.find((id) => this.#isOutput(id)) ??
      ready.find((id) => this.#feeds(id).some((next) => this.#isOutput(next))) ??
      ready.find((id) =>
        this.#feeds(id).some((next) => this.#feeds(next).some((last) => this.#isOutput(last))),
      ) ??
      ready[0]
    );
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** Every node not yet done. */
  get remaining(): NodeId[] {
    return [...this.#pending];
  }

  complete(id: NodeId): void {
    if (!this.#pending.delete(id)) return;
    for (const next of this.#feeds(id)) this.#blockedBy.set(next, (this.#blockedBy.get(next) ?? 1) - 1);
    this.#blocking.delete(id);
  }

  #add(output: NodeId): void {
    const stack = [output];
    const links: [NodeId, NodeId][] = [];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (this.#pending.has(id)) continue;
      this.#pending.add(id);
      this.#blockedBy.set(id, 0);
      this.#blocking.set(id, new Set());
      for (const value of Object.values(this.#prompt[id]?.inputs ?? {})) {
        if (!isLink(value) || this.#isCached(value[0])) continue;
        stack.push(value[0]);
        links.push([value[0], id]);
      }
    }
    for (const [from, to] of links) {
      const targets = this.#blocking.get(from);
      if (!targets || targets.has(to)) continue;
      targets.add(to);
      this.#blockedBy.set(to, (this.#blockedBy.get(to) ?? 0) + 1);
    }
  }

  #feeds(id: NodeId): NodeId[] {
    return [...(this.#blocking.get(id) ?? [])];
  }

  #isOutput(id: NodeId): boolean {
    const type = this.#prompt[id]?.class_type;
    return type !== undefined && this.#info[type]?.output_node === true;
  }
}
