import { learn } from './estimate.ts';
import type { Estimate } from './estimate.ts';

const maxSizes = 40;
/** Further away, a size says no more: a prompt without any numbers is of size 0, whatever it does. */
const mostDistance = 6;
const ln2 = Math.log(2);

/** Estimates by size class. A size that was never seen is expected from the nearest one, in proportion to the work. */
export class SizeCurve {
  readonly #seen = new Map<number, Estimate>();

  sizes(): number[] {
    return [...this.#seen.keys()];
  }

  exact(sizeClass: number): Estimate | undefined {
    return this.#seen.get(sizeClass);
  }

  at(sizeClass: number): Estimate | undefined {
    const exact = this.#seen.get(sizeClass);
    if (exact !== undefined) return exact;
    let nearest: { size: number; estimate: Estimate } | undefined;
    for (const [size, estimate] of this.#seen) {
      if (nearest === undefined || Math.abs(size - sizeClass) < Math.abs(nearest.size - sizeClass))
        nearest = { size, estimate };
    }
    if (nearest === undefined) return undefined;
    const { size, estimate } = nearest;
    const distance = Math.max(-mostDistance, Math.min(mostDistance, sizeClass - size));
    return { n: 1, mean: estimate.mean + distance * ln2, spread: estimate.spread + Math.abs(distance) * 0.1 };
  }

  learn(sizeClass: number, observed: number): Estimate {
    const next = learn(this.#seen.get(sizeClass), observed);
    this.set(sizeClass, next);
    return next;
  }

  set(sizeClass: number, estimate: Estimate): void {
    this.#seen.set(sizeClass, estimate);
    if (this.#seen.size <= maxSizes) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
