/** What can be sorted: by `order`, then by `seq`. */
interface Place {
  readonly order: number;
  readonly seq: number;
}

/** A block that grows beyond this is cut in two: what is moved for one that comes or goes stays little. */
const mostInBlock = 256;

/** A list that stays sorted while much comes and goes: short sorted blocks, one behind the other. */
export class SortedLine<T extends Place> {
  readonly #blocks: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const index = Math.min(this.#blockOf(item), Math.max(0, this.#blocks.length - 1));
    const block = (this.#blocks[index] ??= []);
    block.splice(findIn(block, item), 0, item);
    this.#size += 1;
    if (block.length > mostInBlock) this.#blocks.splice(index + 1, 0, block.splice(mostInBlock / 2));
  }

  /** False when it is not in the line. */
  remove(item: T): boolean {
    const index = this.#blockOf(item);
    const block = this.#blocks[index];
    const at = block === undefined ? -1 : findIn(block, item);
    if (block?.[at] !== item) return false;
    block.splice(at, 1);
    this.#size -= 1;
    if (block.length === 0) this.#blocks.splice(index, 1);
    return true;
  }

  /** 0 is the front; undefined when it is not in the line. */
  positionOf(item: T): number | undefined {
    const index = this.#blockOf(item);
    const block = this.#blocks[index];
    const at = block === undefined ? -1 : findIn(block, item);
    if (block?.[at] !== item) return undefined;
    let before = 0;
    for (let other = 0; other < index; other += 1) before += this.#blocks[other]?.length ?? 0;
    return before + at;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const block of this.#blocks) yield* block;
  }

  /** The first block whose last item is not before this one; behind all, their number. */
  #blockOf(item: Place): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#blocks[middle]?.at(-1);
      if (last !== undefined && isBefore(last, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where it is in a block, or would be. */
function findIn(block: readonly Place[], item: Place): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = block[middle];
    if (other !== undefined && isBefore(other, item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: Place, b: Place): boolean {
  return a.order < b.order || (a.order === b.order && a.seq < b.seq);
}
