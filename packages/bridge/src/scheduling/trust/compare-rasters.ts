import type { Raster } from './raster.ts';

/** How far two pictures of the same size are from each other: 0 is equal, 1 is black against white. */
export interface RasterDifference {
  /** Of all pixels together. */
  mean: number;
  /** Of the tile that is furthest off: damage to a part does not drown in what is right. */
  worst: number;
  /** The largest of one channel of one pixel. */
  largest: number;
}

/** Pixels of a side. Large enough that what a lossy format does at an edge is a small part of a tile. */
const tile = 16;

/** Undefined when the sizes differ. */
export function compareRasters(one: Raster, other: Raster): RasterDifference | undefined {
  const { width, height } = one;
  if (other.width !== width || other.height !== height) return undefined;
  const columns = Math.ceil(width / tile);
  const sums = new Float64Array(columns * Math.ceil(height / tile));
  const counts = new Float64Array(sums.length);
  let sum = 0;
  let largest = 0;
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const index = Math.floor(y / tile) * columns + Math.floor(x / tile);
      for (let channel = 0; channel < 3; channel += 1, at += 1) {
        const difference = Math.abs((one.pixels[at] ?? 0) - (other.pixels[at] ?? 0));
        sum += difference;
        largest = Math.max(largest, difference);
        sums[index] = (sums[index] ?? 0) + difference;
        counts[index] = (counts[index] ?? 0) + 1;
      }
    }
  }
  // A sliver at the edge is no tile of its own: it is weighed as if its tile were whole, or a third of it at least.
  const worst = Math.max(...sums.map((total, index) => total / Math.max(counts[index] ?? 1, tile * tile)));
  return { mean: sum / (width * height * 3) / 255, worst: worst / 255, largest: largest / 255 };
}
