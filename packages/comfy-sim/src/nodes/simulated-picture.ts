import { createHash } from 'node:crypto';
import type { Picture } from './node-value.ts';
import { drawSvg, mix, open } from './pictures.ts';
import { contentKey } from './picture-memo.ts';

export interface SimulatedPicture {
  width: number;
  height: number;
  seed: number;
  text: string;
  /** Leave out the caption of seed and text, so that a benchmark draws few distinct pictures. */
  plain: boolean;
}

/** How many distinct pictures a benchmark sees. */
const PLAIN_VARIANTS = 4;

/** What a sampler "paints" here: a gradient made from seed and prompt, with a caption saying that it is simulated. */
export function drawSimulated(request: SimulatedPicture): Promise<Picture> {
  const { width, height, plain } = request;
  const seed = plain ? Math.abs(request.seed) % PLAIN_VARIANTS : request.seed;
  const text = plain ? '' : request.text;
  const key = contentKey('simulated', width, height, seed, text);
  return drawSvg(key, svgOf({ ...request, seed, text }));
}

/** Image to image: the source shows through by `1 - denoise`. The source's size wins. */
export async function blendOver(source: Picture, drawn: Picture, denoise: number): Promise<Picture> {
  const { width, height } = source;
  const { data } = await open(drawn)
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return mix(`denoise ${denoise}`, source, [drawn], (at, value) =>
    Math.round(value * (1 - denoise) + (data[at] ?? 0) * denoise),
  );
}

function svgOf({ width, height, seed, text, plain }: SimulatedPicture): string {
  const hash = createHash('sha1').update(`${seed}\u0000${text}`).digest();
  const byte = (at: number): number => hash[at] ?? 0;
  const hue = Math.round((byte(0) / 256) * 360);
  const colours = [hue, (hue + 50 + byte(1) / 4) % 360, (hue + 140 + byte(2) / 4) % 360];
  const stops = colours.map(
    (value, at) => `<stop offset="${at * 50}%" stop-color="hsl(${value},65%,${55 - at * 12}%)"/>`,
  );
  const blobs = [3, 6, 9].map((at) => {
    const [x, y, size] = [byte(at), byte(at + 1), byte(at + 2)].map((value) =>
      Math.round((value / 256) * 100),
    );
    const fill = `hsl(${(hue + at * 40) % 360},70%,65%)`;
    return `<circle cx="${x}%" cy="${y}%" r="${10 + (size ?? 0) / 4}%" fill="${fill}" opacity="0.35"/>`;
  });
  const gradient = `<linearGradient id="g" gradientTransform="rotate(${Math.round(byte(12) / 3)})">${stops.join('')}</linearGradient>`;
  const caption = captionOf(width, height, plain ? 'benchmark' : `seed ${seed}`, text);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${gradient}</defs>` +
    `<rect width="100%" height="100%" fill="url(#g)"/>${blobs.join('')}${caption}</svg>`
  );
}

function captionOf(width: number, height: number, detail: string, text: string): string {
  const size = Math.max(7, Math.round(Math.min(width, height) / 24));
  const fit = Math.max(8, Math.floor(width / (size * 0.56)) - 2);
  const lines = ['SIMULATED', `${width}×${height} · ${detail}`, text].filter((line) => line !== '');
  const box = (lines.length + 0.8) * size * 1.35;
  const spans = lines.map((line, at) => {
    const shown = line.length > fit ? `${line.slice(0, fit - 1)}…` : line;
    const y = height - box + (at + 1.1) * size * 1.35;
    return `<text x="${size * 0.7}" y="${y}" font-size="${size}" font-family="sans-serif" fill="#fff"${at === 0 ? ' font-weight="bold"' : ''}>${escapeXml(shown)}</text>`;
  });
  return `<rect y="${height - box}" width="100%" height="${box}" fill="#000" opacity="0.55"/>${spans.join('')}`;
}

function escapeXml(text: string): string {
  // Control characters are not allowed in XML at all, and a prompt can hold anything.
  const printable = text.replaceAll(/\p{Cc}|\p{Cs}/gu, ' ');
  return printable
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
