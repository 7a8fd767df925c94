/**
 * Seats by a key that only grows: a binary heap whose top is looked at again before it is believed, so that a change of a
 * seat costs nothing until it matters.
 */
export class SeatHeap {
  readonly #keys: number[] = [];
  readonly #seats: number[] = [];
  readonly #keyOf: (seat: number) => number;

  constructor(seats: Iterable<number>, keyOf: (seat: number) => number) {
    this.#keyOf = keyOf;
    for (const seat of seats) {
      this.#keys.push(this.#look(seat));
      this.#seats.push(seat);
    }
    for (let at = (this.#keys.length >>> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  /** The seat with the least key, of equal ones the first; undefined when there is none. */
  best(): number | undefined {
    for (;;) {
      const seat = this.#seats[0];
      if (seat === undefined) return undefined;
      const key = this.#look(seat);
      if (key <= (this.#keys[0] ?? 0)) return seat;
      this.#keys[0] = key;
      this.#sink(0);
    }
  }

  /** Tells of a seat whose key has become smaller. It may be in the heap twice then, which does no harm. */
  push(seat: number): void {
    let at = this.#seats.length;
    const key = this.#look(seat);
    this.#seats.push(seat);
    this.#keys.push(key);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isLess(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** What is no number is worse than any other: a key that compares with nothing would be looked for for ever. */
  #look(seat: number): number {
    const key = this.#keyOf(seat);
    return Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
  }

  #sink(from: number): void {
    let at = from;
    const size = this.#keys.length;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < size && this.#isLess(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isLess(a: number, b: number): boolean {
    const difference = (this.#keys[a] ?? 0) - (this.#keys[b] ?? 0);
    return difference < 0 || (difference === 0 && (this.#seats[a] ?? 0) < (this.#seats[b] ?? 0));
  }

  #swap(a: number, b: number): void {
    const key = this.#keys[a] ?? 0;
    const seat = this.#seats[a] ?? 0;
    this.#keys[a] = this.#keys[b] ?? 0;
    this.#seats[a] = this.#seats[b] ?? 0;
    this.#keys[b] = key;
    this.#seats[b] = seat;
  }
}
