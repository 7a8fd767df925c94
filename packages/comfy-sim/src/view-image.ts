import sharp from 'sharp';

export interface PreviewFormat {
  format: 'webp' | 'jpeg';
  quality: number;
}

/** `preview=webp;80`, as `/view` reads it. Anything but `jpeg` means WebP, and so does a wish for alpha. */
export function parsePreview(value: string, channel: string): PreviewFormat {
  const parts = value.split(';');
  const last = parts.at(-1) ?? '';
  const quality = /^\d+$/.test(last) ? Math.min(100, Math.max(1, Number(last))) : 90;
  return { format: parts[0] === 'jpeg' && !channel.includes('a') ? 'jpeg' : 'webp', quality };
}

export function encodePreview(bytes: Uint8Array, { format, quality }: PreviewFormat): Promise<Uint8Array> {
  const image = sharp(bytes);
  return (format === 'jpeg' ? image.flatten().jpeg({ quality }) : image.webp({ quality })).toBuffer();
}

/** Only the colours, as PNG. */
export function encodeColours(bytes: Uint8Array): Promise<Uint8Array> {
  return sharp(bytes).removeAlpha().toColourspace('srgb').png().toBuffer();
}

/** A black picture with the alpha of the given one, as PNG. */
export async function encodeAlpha(bytes: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await rgba(bytes);
  for (let at = 0; at < data.length; at += 1) if (at % 4 !== 3) data[at] = 0;
  return toPng(data, info);
}

/** The picture with the alpha of the mask: what `/upload/mask` stores. */
export async function applyAlpha(original: Uint8Array, mask: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await rgba(original);
  const alpha = await rgba(mask, info);
  for (let at = 3; at < data.length; at += 4) data[at] = alpha.data[at] ?? 255;
  return toPng(data, info);
}

interface Size {
  width: number;
  height: number;
}

async function rgba(bytes: Uint8Array, size?: Size): Promise<{ data: Buffer; info: Size }> {
  const image = sharp(bytes).toColourspace('srgb').ensureAlpha();
  const sized = size ? image.resize(size.width, size.height, { fit: 'fill' }) : image;
  return sized.raw().toBuffer({ resolveWithObject: true });
}

function toPng(data: Buffer, { width, height }: Size): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}
