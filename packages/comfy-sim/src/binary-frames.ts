import { Buffer } from 'node:buffer';

/** All integers are big-endian u32. Type 1 carries no ids, type 4 carries JSON with them, type 3 carries text. */

export function previewFrame(image: Uint8Array, format: 'jpeg' | 'png'): Uint8Array {
  return Buffer.concat([u32(1), u32(format === 'jpeg' ? 1 : 2), image]);
}

export function previewWithMetadataFrame(image: Uint8Array, metadata: Record<string, unknown>): Uint8Array {
  const json = Buffer.from(JSON.stringify(metadata));
  return Buffer.concat([u32(4), u32(json.length), json, image]);
}

export function textFrame(nodeId: string, text: string): Uint8Array {
  const id = Buffer.from(nodeId);
  return Buffer.concat([u32(3), u32(id.length), id, Buffer.from(text)]);
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
