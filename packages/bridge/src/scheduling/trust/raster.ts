/** A picture as plain numbers: three bytes a pixel (red, green, blue), row by row. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Makes a picture from one that is there: `sourceOf` says the number of the pixel of that one that goes to (x, y). */
function rearrange(
  { pixels }: Raster,
  { width, height }: { width: number; height: number },
  sourceOf: (x: number, y: number) => number,
): Raster {
  const made = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 3) {
      const from = sourceOf(x, y) * 3;
      made[at] = pixels[from] ?? 0;
      made[at + 1] = pixels[from + 1] ?? 0;
      made[at + 2] = pixels[from + 2] ?? 0;
    }
  }
  return { width, height, pixels: made };
}

export function invert({ width, height, pixels }: Raster): Raster {
  return { width, height, pixels: pixels.map((value) => 255 - value) };
}

export function flip(raster: Raster, direction: 'vertically' | 'horizontally'): Raster {
  const { width, height } = raster;
  return direction === 'vertically'
    ? rearrange(raster, raster, (x, y) => (height - 1 - y) * width + x)
    : rearrange(raster, raster, (x, y) => y * width + width - 1 - x);
}

/** Clockwise. */
export function rotate(raster: Raster, degrees: 90 | 180 | 270): Raster {
  const { width, height } = raster;
  const turned = { width: height, height: width };
  switch (degrees) {
    case 90:
      return rearrange(raster, turned, (x, y) => (height - 1 - x) * width + y);
    case 180:
      return rearrange(raster, raster, (x, y) => (height - 1 - y) * width + width - 1 - x);
    case 270:
      return rearrange(raster, turned, (x, y) => x * width + width - 1 - y);
  }
}

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function crop(raster: Raster, { x: left, y: top, width, height }: Area): Raster {
  return rearrange(raster, { width, height }, (x, y) => (top + y) * raster.width + left + x);
}

/** As torch's `nearest-exact`: the pixel whose middle is nearest. */
export function scale(raster: Raster, size: { width: number; height: number }): Raster {
  const columns = toSources(size.width, raster.width);
  const rows = toSources(size.height, raster.height);
  return rearrange(raster, size, (x, y) => (rows[y] ?? 0) * raster.width + (columns[x] ?? 0));
}

function toSources(length: number, from: number): Uint32Array {
  return Uint32Array.from({ length }, (_, at) =>
    Math.min(from - 1, Math.floor(((at + 0.5) * from) / length)),
  );
}

/** One colour laid over a part of the picture. */
export function fill({ width, height, pixels }: Raster, area: Area, colour: readonly number[]): Raster {
  const made = Uint8Array.from(pixels);
  for (let y = area.y; y < Math.min(height, area.y + area.height); y += 1) {
    for (let x = area.x; x < Math.min(width, area.x + area.width); x += 1) {
      for (let channel = 0; channel < 3; channel += 1)
        made[(y * width + x) * 3 + channel] = colour[channel] ?? 0;
    }
  }
  return { width, height, pixels: made };
}
