/** Things in the order of their time, whatever the order in which they were put in: a binary heap. */
export class EventQueue<T> {
  readonly #heap: { at: number; what: T }[] = [];

  /** Infinity when there is nothing. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  push(at: number, what: T): void {
    let place = this.#heap.push({ at, what }) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (this.#at(parent) <= at) return;
      this.#swap(parent, place);
      place = parent;
    }
  }

  pop(): T | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return top?.what;
    this.#heap[0] = last;
    let place = 0;
    for (;;) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2])
        if (this.#at(child) < this.#at(least)) least = child;
      if (least === place) return top?.what;
      this.#swap(place, least);
      place = least;
    }
  }

  #at(place: number): number {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
