/** Room for seats that are told of again. */
const spare = 64;

/**
 * Seats by a key that only grows: a binary heap whose top is looked at again before it is believed, so that a change of a
 * seat costs nothing until it matters. Of equal keys the lower seat is the better one.
 */
export class SeatHeap {
  readonly #keyOf: (seat: number) => number;
  #keys: Float64Array;
  #seats: Int32Array;
  #size = 0;

  constructor(seats: Iterable<number>, keyOf: (seat: number) => number) {
    const list = [...seats];
    this.#keyOf = keyOf;
    this.#keys = new Float64Array(list.length + spare);
    this.#seats = Int32Array.from({ length: list.length + spare }, (_, at) => list[at] ?? -1);
    this.#size = list.length;
    for (let at = 0; at < this.#size; at += 1) this.#keys[at] = this.#look(list[at] ?? -1);
    for (let at = (this.#size >>> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  /** The seat with the least key, of equal ones the first; undefined when there is none. */
  best(): number | undefined {
    if (this.#size === 0) return undefined;
    for (;;) {
      const seat = this.#seats[0] ?? -1;
      const key = this.#look(seat);
      if (key <= (this.#keys[0] ?? 0)) return seat;
      this.#keys[0] = key;
      this.#sink(0);
    }
  }

  /** Tells of a seat whose key has become smaller. It may be in the heap twice then, which does no harm. */
  push(seat: number): void {
    if (this.#size === this.#seats.length) this.#grow();
    let at = this.#size;
    this.#size += 1;
    this.#seats[at] = seat;
    this.#keys[at] = this.#look(seat);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isLess(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #grow(): void {
    const keys = new Float64Array(this.#size * 2);
    const seats = new Int32Array(this.#size * 2);
    keys.set(this.#keys);
    seats.set(this.#seats);
    this.#keys = keys;
    this.#seats = seats;
  }

  /** What is no number is worse than any other: a key that compares with nothing would be looked for for ever. */
  #look(seat: number): number {
    const key = this.#keyOf(seat);
    return Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      const left = 2 * at + 1;
      if (left < this.#size && this.#isLess(left, least)) least = left;
      if (left + 1 < this.#size && this.#isLess(left + 1, least)) least = left + 1;
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
