import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A whole PNG of one colour (0xRRGGBB). */
export function createPicture(colour: number, side = 8): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2], 8);
  const row = Buffer.alloc(1 + side * 3);
  for (let x = 0; x < side; x += 1) row.writeUIntBE(colour, 1 + x * 3, 3);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: side }, () => row)));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** The colour of the first pixel of an RGB picture; undefined when the bytes are no whole PNG. */
export function readColour(png: Buffer): number | undefined {
  if (!png.subarray(0, 8).equals(signature)) return undefined;
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
    // Whatever the filter of the row, its first pixel stands as it is.
    if (type === 'IEND')
      return at === png.length ? inflateSync(Buffer.concat(parts)).readUIntBE(1, 3) : undefined;
  }
  return undefined;
}

export interface ResultPart {
  fileName: string;
  bytes: Buffer;
}

/** The files of a multipart answer. */
export function parseParts(body: Buffer, contentType: string): ResultPart[] {
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1] ?? '';
  const marker = Buffer.from(`--${boundary}`);
  const parts: ResultPart[] = [];
  for (let at = body.indexOf(marker); at >= 0;) {
    const next = body.indexOf(marker, at + marker.length);
    if (next < 0) break;
    const part = body.subarray(at + marker.length + 2, next - 2);
    const split = part.indexOf('\r\n\r\n');
    const fileName = /filename="([^"]*)"/.exec(part.subarray(0, split).toString('utf8'))?.[1] ?? '';
    parts.push({ fileName, bytes: part.subarray(split + 4) });
    at = next;
  }
  return parts;
}
