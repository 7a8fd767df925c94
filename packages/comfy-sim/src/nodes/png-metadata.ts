import { crc32 } from 'node:zlib';

const SIGNATURE_AND_HEADER = 8 + 25;

/**
 * Puts text entries into a PNG, right after its header. SaveImage does so with the prompt and the workflow, which is
 * how a picture can be dropped into the editor to get its graph back.
 */
export function withPngText(png: Uint8Array, entries: Record<string, unknown>): Uint8Array {
  const chunks = Object.entries(entries).map(([keyword, value]) => textChunk(keyword, JSON.stringify(value)));
  return Buffer.concat([
    png.subarray(0, SIGNATURE_AND_HEADER),
    ...chunks,
    png.subarray(SIGNATURE_AND_HEADER),
  ]);
}

function textChunk(keyword: string, text: string): Uint8Array {
  // A tEXt chunk is Latin-1, so anything beyond it is escaped as JSON allows.
  const plain = text.replaceAll(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const body = Buffer.from(`tEXt${keyword}\u0000${plain}`, 'latin1');
  const chunk = Buffer.alloc(4 + body.length + 4);
  chunk.writeUInt32BE(body.length - 4, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 4 + body.length);
  return chunk;
}
