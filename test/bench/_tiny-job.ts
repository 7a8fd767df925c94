import { inflateSync } from 'node:zlib';

/**
 * The job that most scenarios run: a picture of one colour, another one each time, so that no backend has it in its cache
 * and each result tells whose it is.
 */
export const tinyWorkflow = 'tiny';

let lastColour = Math.floor(Math.random() * 0xff_ffff);

export function nextColour(): number {
  // Coprime to 2^24, so all colours come once; neighbours look different.
  lastColour = (lastColour + 7_654_321) & 0xff_ffff;
  return lastColour;
}

export function tinyPrompt(color: number): Record<string, unknown> {
  return {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color } },
    2: { class_type: 'SaveImage', inputs: { filename_prefix: 'bench', images: ['1', 0] } },
  };
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** True when `png` is whole and its pixels have the colour that was asked for. */
export function isOwnResult(png: Buffer, colour: number): boolean {
  if (!png.subarray(0, 8).equals(signature)) return false;
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
    if (type !== 'IEND') continue;
    const pixels = inflateSync(Buffer.concat(parts));
    // RGB rows, each after its filter byte; whatever the filter, the first pixel stands as it is.
    return at === png.length && pixels.length === 64 * (1 + 64 * 3) && pixels.readUIntBE(1, 3) === colour;
  }
  return false;
}
