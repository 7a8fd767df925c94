import type { PictureSketch } from '../../files/picture-pixels.ts';

/** What was made by one run, in the order of its outputs; undefined where it is no picture. */
export type Sketches = readonly (PictureSketch | undefined)[];

/** Levels by which a picture's brightness must vary to have any shapes at all. */
const leastContrast = 3;

/**
 * How far the results of two runs are from each other, from 0 (the same) to 1: by the pictures that differ most. The same
 * prompt and seed on another GPU, driver or version of torch gives the same composition with other details, seldom another
 * pixel value on average; so both what the colours are and where light and dark lie are compared, on pictures made small.
 */
export function distanceOf(one: Sketches, other: Sketches): number {
  if (one.length !== other.length) return 1;
  let most = 0;
  for (const [index, sketch] of one.entries()) most = Math.max(most, distance(sketch, other[index]));
  return most;
}

/** Nothing to be seen: black, white, or any one colour. */
export function isBlank(sketch: PictureSketch): boolean {
  return contrastOf(brightnessOf(sketch)).deviation < leastContrast;
}

function distance(one: PictureSketch | undefined, other: PictureSketch | undefined): number {
  if (one === undefined || other === undefined) return one === other ? 0 : 1;
  if (one.width !== other.width || one.height !== other.height) return 1;
  let sum = 0;
  for (const [at, value] of one.pixels.entries()) sum += Math.abs(value - (other.pixels[at] ?? 0));
  return Math.max(sum / one.pixels.length / 255, shapeDistance(one, other));
}

/** Half of one minus the correlation of brightness: unrelated pictures are about 0.5 apart, and so is a blank one from all others. */
function shapeDistance(one: PictureSketch, other: PictureSketch): number {
  const brightness = [brightnessOf(one), brightnessOf(other)] as const;
  const [first, second] = [contrastOf(brightness[0]), contrastOf(brightness[1])];
  const blanks = [first, second].filter(({ deviation }) => deviation < leastContrast).length;
  if (blanks > 0) return blanks === 2 ? 0 : 0.5;
  let together = 0;
  for (const [at, value] of brightness[0].entries())
    together += (value - first.mean) * ((brightness[1][at] ?? 0) - second.mean);
  const correlation = together / brightness[0].length / (first.deviation * second.deviation);
  return (1 - correlation) / 2;
}

function brightnessOf({ pixels }: PictureSketch): Float64Array {
  const brightness = new Float64Array(pixels.length / 3);
  for (let at = 0; at < brightness.length; at += 1) {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(at * 3, at * 3 + 3);
    brightness[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return brightness;
}

function contrastOf(brightness: Float64Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const value of brightness) sum += value;
  const mean = sum / brightness.length;
  let squares = 0;
  for (const value of brightness) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / brightness.length) };
}
