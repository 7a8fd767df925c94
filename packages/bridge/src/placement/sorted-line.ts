/** What can be sorted: by `order`, then by `seq`. */
interface Place {
  readonly order: number;
  readonly seq: number;
}

/** A list that stays sorted, made for being emptied from its front. */
export class SortedLine<T extends Place> {
  #items: T[] = [];
  /** Everything before it is taken; moved up only now and then. */
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  add(item: T): void {
    const at = this.#find(item);
    if (at === this.#items.length) this.#items.push(item);
    else this.#items.splice(at, 0, item);
  }

  /** False when it is not in the line. */
  remove(item: T): boolean {
    const at = this.#find(item);
    if (this.#items[at] !== item) return false;
    if (at === this.#first) {
      this.#first += 1;
      if (this.#first > 1_024 && this.#first * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#first);
        this.#first = 0;
      }
    } else this.#items.splice(at, 1);
    return true;
  }

  /** 0 is the front; undefined when it is not in the line. */
  positionOf(item: T): number | undefined {
    const at = this.#find(item);
    return this.#items[at] === item ? at - this.#first : undefined;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = this.#first; at < this.#items.length; at += 1) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }

  /** Where it is, or would be. */
  #find({ order, seq }: Place): number {
    let low = this.#first;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other === undefined) break;
      if (other.order < order || (other.order === order && other.seq < seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
