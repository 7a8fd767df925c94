import sharp, { type Sharp } from 'sharp';
import type { ApiPrompt, NodeId } from '../wire.ts';
import type { NodeValue, Picture } from './node-value.ts';

/**
 * What a server saves instead of what it should. Lies, all of the right size: `noise`, `black`, `input` (the picture that was
 * loaded), `other` (what another prompt saved), `patch` (right but for a part). Honest, and not exact: `jpeg` and `webp`
 * (saved once with losses), `rounded` (in steps of eight levels).
 */
export type Forgery = 'noise' | 'black' | 'input' | 'other' | 'patch' | 'jpeg' | 'webp' | 'rounded';

export interface Liar {
  forgery: Forgery;
  /** Which prompts are lied to. */
  about: (prompt: ApiPrompt) => boolean;
}

interface Saving {
  prompt: ApiPrompt;
  link: (value: [NodeId, number]) => NodeValue | undefined;
}

/** The last pictures that servers of this process saved, of two prompts that differ; the same job elsewhere is the same one. */
let recent: readonly { prompt: string; picture: Picture }[] = [];

/** The pictures that a node saves: as they are, unless the server lies about this prompt. */
export async function forge(
  pictures: readonly Picture[],
  saving: Saving,
  liar: Liar | undefined,
): Promise<readonly Picture[]> {
  const prompt = JSON.stringify(saving.prompt);
  const others = recent.filter((one) => one.prompt !== prompt);
  const other = others[0]?.picture;
  const [first] = pictures;
  if (first !== undefined) recent = [{ prompt, picture: first }, ...others.slice(0, 1)];
  if (liar === undefined || !liar.about(saving.prompt)) return pictures;
  return Promise.all(pictures.map((picture) => forgeOne(picture, { ...saving, other }, liar.forgery)));
}

async function forgeOne(
  right: Picture,
  { prompt, link, other }: Saving & { other: Picture | undefined },
  forgery: Forgery,
): Promise<Picture> {
  switch (forgery) {
    case 'noise':
      return withBytes(right, () => Math.floor(Math.random() * 256));
    case 'black':
      return withBytes(right, () => 0);
    case 'rounded':
      return withBytes(right, (value) => Math.min(255, Math.round(value / 8) * 8));
    case 'patch':
      // A quarter of each side, in a corner: a sixteenth of the picture.
      return withBytes(right, (value, at) => (isInPatch(right, at) ? 255 - value : value));
    case 'input': {
      const loader = Object.keys(prompt).find((id) => prompt[id]?.class_type === 'LoadImage');
      const loaded = loader === undefined ? undefined : link([loader, 0]);
      return loaded?.type === 'IMAGE' && loaded.pictures[0] !== undefined
        ? fit(loaded.pictures[0], right)
        : withBytes(right, () => 0);
    }
    case 'other':
      return other === undefined ? withBytes(right, () => 0) : fit(other, right);
    case 'jpeg':
      return decodeAs(right, await openRaw(right).jpeg({ quality: 75 }).toBuffer());
    case 'webp':
      return decodeAs(right, await openRaw(right).webp({ quality: 75 }).toBuffer());
  }
}

function withBytes(picture: Picture, byte: (value: number, at: number) => number): Picture {
  return toForged(picture, picture.data.map(byte));
}

function isInPatch({ width, height, channels }: Picture, at: number): boolean {
  const pixel = Math.floor(at / channels);
  return pixel % width < width / 4 && pixel / width < height / 4;
}

async function fit(picture: Picture, { width, height }: Picture): Promise<Picture> {
  const data = await openRaw(picture).resize(width, height, { fit: 'fill' }).raw().toBuffer();
  return toForged({ ...picture, width, height }, data);
}

async function decodeAs(picture: Picture, bytes: Buffer): Promise<Picture> {
  return toForged(picture, await sharp(bytes).removeAlpha().toColourspace('srgb').raw().toBuffer());
}

function openRaw({ data, width, height, channels }: Picture): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

let forged = 0;

/** With a key of its own: nothing that is remembered of the right one is true of it. */
function toForged(picture: Picture, data: Uint8Array): Picture {
  forged += 1;
  return { ...picture, key: `forged ${forged}`, data };
}
