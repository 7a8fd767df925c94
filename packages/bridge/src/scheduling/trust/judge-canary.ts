import { compareRasters } from './compare-rasters.ts';
import type { Raster } from './raster.ts';

/** What a backend made of a canary's prompt: pictures, or of one that is none, why. */
export type MadePicture<T = Raster> = { ok: true; picture: T } | { ok: false; fault: string };

export type CanaryVerdict =
  /** `difference`: of the tile that is furthest off, from 0 to 1. */
  { isRight: true; difference: number } | { isRight: false; difference: number | null; detail: string };

/**
 * No tile may be further off than this: 25 of 255 levels. Measured on hundreds of canaries, in the worst tile: saved as a JPEG
 * or a WebP of quality 50, at most 0.05; rounded to 16 levels, 0.03; moved by a pixel, 0.13. A black picture, noise, the picture
 * that was sent or that of another job are off by 0.26 at least, and by 0.4 to 0.9 as a rule.
 */
export const canaryTolerance = 0.1;

/** Pure: whether what was made is what the prompt makes. */
export function judgeCanary(expected: Raster, made: readonly MadePicture[]): CanaryVerdict {
  const [first] = made;
  const wrong = (detail: string, difference: number | null = null): CanaryVerdict => ({
    isRight: false,
    difference,
    detail,
  });
  if (first === undefined) return wrong('it said that it was done and gave no picture');
  if (made.length > 1) return wrong(`it gave ${made.length} pictures instead of one`);
  if (!first.ok) return wrong(first.fault);
  const { picture } = first;
  const difference = compareRasters(expected, picture);
  if (difference === undefined) {
    const sizes = [picture, expected].map(({ width, height }) => `${width}×${height}`);
    return wrong(`it gave a picture of ${sizes.join(' instead of ')} pixels`);
  }
  const { worst } = difference;
  if (worst <= canaryTolerance) return { isRight: true, difference: worst };
  return wrong(`its picture is off by ${worst.toFixed(2)} where ${canaryTolerance} is allowed`, worst);
}
