import type { Sharp } from 'sharp';
import { containedKey, splitAnnotation } from '../file-store.ts';
import { PythonError } from '../python-values.ts';
import {
  image,
  imagesOf,
  mask,
  maskOf,
  numberOf,
  scalarOf,
  textOf,
  type NodeOperation,
  type NodeWork,
} from './node-work.ts';
import type { Picture } from './node-value.ts';
import { decodePicture, mix, open, solid, transform } from './pictures.ts';

type Kernel = 'nearest' | 'linear' | 'cubic' | 'lanczos3';
const KERNELS: Record<string, Kernel> = {
  'nearest-exact': 'nearest',
  bilinear: 'linear',
  area: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
};

export const imageOperations: Record<string, NodeOperation> = {
  LoadImage: async (work) => {
    const { picture, mask: alpha } = await loadInput(work);
    // Without alpha the real node gives an empty 64×64 mask.
    return {
      values: [
        { type: 'IMAGE', pictures: [picture] },
        { type: 'MASK', pictures: [alpha ?? solid(64, 64, [0])] },
      ],
    };
  },
  LoadImageMask: async (work) => {
    const { picture, mask: alpha } = await loadInput(work);
    const channel = textOf(work, 'channel', 'alpha');
    return mask(channel === 'alpha' ? (alpha ?? solid(64, 64, [0])) : await channelOf(picture, channel));
  },
  ImageScale: async (work) => {
    const crop = textOf(work, 'crop') === 'center';
    const [width, height] = [numberOf(work, 'width'), numberOf(work, 'height')];
    return each(work, (picture) => {
      if (width === 0 && height === 0) return Promise.resolve(picture);
      const wide = width || Math.max(1, Math.round((picture.width * height) / picture.height));
      const high = height || Math.max(1, Math.round((picture.height * width) / picture.width));
      return resize(work, picture, wide, high, crop);
    });
  },
  ImageScaleBy: (work) => {
    const by = numberOf(work, 'scale_by', 1);
    return each(work, (picture) =>
      resize(work, picture, Math.round(picture.width * by), Math.round(picture.height * by)),
    );
  },
  ImageScaleToTotalPixels: (work) =>
    each(work, (picture) => {
      const by = Math.sqrt(
        (numberOf(work, 'megapixels', 1) * 1024 * 1024) / (picture.width * picture.height),
      );
      return resize(work, picture, Math.round(picture.width * by), Math.round(picture.height * by));
    }),
  ImageScaleToMaxDimension: (work) =>
    each(work, (picture) => {
      const by = numberOf(work, 'largest_size', 512) / Math.max(picture.width, picture.height);
      return resize(work, picture, Math.round(picture.width * by), Math.round(picture.height * by));
    }),
  ImageCrop: (work) =>
    each(work, (picture) => {
      const left = Math.min(numberOf(work, 'x'), picture.width - 1);
      const top = Math.min(numberOf(work, 'y'), picture.height - 1);
      const width = Math.min(numberOf(work, 'width', 1), picture.width - left);
      const height = Math.min(numberOf(work, 'height', 1), picture.height - top);
      return transform(picture, `crop ${left} ${top} ${width} ${height}`, (it) =>
        it.extract({ left, top, width, height }),
      );
    }),
  ImageFlip: (work) => {
    const vertical = textOf(work, 'flip_method').startsWith('x');
    return each(work, (picture) =>
      transform(picture, `flip ${vertical}`, (it) => (vertical ? it.flip() : it.flop())),
    );
  },
  ImageRotate: (work) => {
    const angle = Number.parseInt(textOf(work, 'rotation'), 10) || 0;
    return each(work, (picture) => transform(picture, `rotate ${angle}`, (it) => it.rotate(angle)));
  },
  ImageInvert: (work) =>
    each(work, (picture) => Promise.resolve(mix('invert', picture, [], (_, value) => 255 - value))),
  ImageBlur: (work) => {
    const sigma = Math.max(0.3, numberOf(work, 'sigma', 1));
    return each(work, (picture) => transform(picture, `blur ${sigma}`, (it) => it.blur(sigma)));
  },
  ImageSharpen: (work) => {
    const sigma = Math.max(0.1, numberOf(work, 'sigma', 1));
    const amount = numberOf(work, 'alpha', 1);
    const sharpen = (it: Sharp): Sharp => it.sharpen({ sigma, m1: amount, m2: amount });
    return each(work, (picture) => transform(picture, `sharpen ${sigma} ${amount}`, sharpen));
  },
  ImageQuantize: (work) => {
    const colours = numberOf(work, 'colors', 256);
    const levels = Math.max(2, Math.round(Math.cbrt(colours)));
    const step = 255 / (levels - 1);
    return each(work, (picture) =>
      Promise.resolve(
        mix(`quantize ${levels}`, picture, [], (_, value) => Math.round(Math.round(value / step) * step)),
      ),
    );
  },
  ImagePadForOutpaint: async (work) => {
    const [left, top] = [numberOf(work, 'left'), numberOf(work, 'top')];
    const [right, bottom] = [numberOf(work, 'right'), numberOf(work, 'bottom')];
    const extend = { left, top, right, bottom };
    const operation = `pad ${left} ${top} ${right} ${bottom}`;
    const padded = await Promise.all(
      imagesOf(work, 'image').map((it) =>
        transform(it, operation, (sharp) => sharp.extend({ ...extend, background: '#808080' })),
      ),
    );
    const first = imagesOf(work, 'image')[0];
    const hole = solid(first?.width ?? 1, first?.height ?? 1, [0]);
    const outside = await transform(hole, operation, (sharp) =>
      sharp.extend({ ...extend, background: '#fff' }),
    );
    return {
      values: [
        { type: 'IMAGE', pictures: padded },
        { type: 'MASK', pictures: [outside] },
      ],
    };
  },
  ImageBlend: async (work) => {
    const factor = numberOf(work, 'blend_factor', 0.5);
    const blend = blendMode(textOf(work, 'blend_mode', 'normal'));
    const second = imagesOf(work, 'image2');
    const pictures = imagesOf(work, 'image1').map(async (first, at) => {
      const other = await fitted(second[at] ?? second[0] ?? first, first);
      return mix(`blend ${factor} ${textOf(work, 'blend_mode')}`, first, [other], (index, value) => {
        const mixed = blend(value / 255, (other.data[index] ?? 0) / 255) * 255;
        return Math.round(value * (1 - factor) + mixed * factor);
      });
    });
    return image(...(await Promise.all(pictures)));
  },
  ImageBatch: async (work) => {
    const [first] = imagesOf(work, 'image1');
    const second = imagesOf(work, 'image2');
    const same = first ? await Promise.all(second.map((picture) => fitted(picture, first))) : second;
    return image(...imagesOf(work, 'image1'), ...same);
  },
  RepeatImageBatch: (work) =>
    image(...Array.from({ length: numberOf(work, 'amount', 1) }).flatMap(() => imagesOf(work, 'image'))),
  ImageFromBatch: (work) => {
    const pictures = imagesOf(work, 'image');
    const from = Math.min(pictures.length - 1, numberOf(work, 'batch_index'));
    return image(...pictures.slice(from, from + numberOf(work, 'length', 1)));
  },
  EmptyImage: (work) => {
    const colour = numberOf(work, 'color');
    const picture = solid(numberOf(work, 'width', 1), numberOf(work, 'height', 1), [
      (colour >> 16) & 255,
      (colour >> 8) & 255,
      colour & 255,
    ]);
    return image(...Array.from({ length: numberOf(work, 'batch_size', 1) }, () => picture));
  },
  SolidMask: (work) =>
    mask(
      solid(numberOf(work, 'width', 1), numberOf(work, 'height', 1), [
        Math.round(numberOf(work, 'value', 1) * 255),
      ]),
    ),
  InvertMask: (work) =>
    mask(...(maskOf(work, 'mask') ?? []).map((it) => mix('invert', it, [], (_, value) => 255 - value))),
  MaskToImage: (work) => image(...(maskOf(work, 'mask') ?? []).map(greyImage)),
  ImageToMask: async (work) => {
    const channel = textOf(work, 'channel', 'red');
    // The alpha of an image in a graph is always full: links carry RGB.
    const channels = imagesOf(work, 'image').map(async (picture) =>
      channel === 'alpha' ? solid(picture.width, picture.height, [255]) : channelOf(picture, channel),
    );
    return mask(...(await Promise.all(channels)));
  },
  ImageCompositeMasked: async (work) => {
    const [source] = imagesOf(work, 'source');
    const [cover] = maskOf(work, 'mask') ?? [];
    const at = {
      x: numberOf(work, 'x'),
      y: numberOf(work, 'y'),
      resize: scalarOf(work, 'resize_source') === true,
    };
    return each(
      work,
      (picture) => (source ? composite(picture, source, cover, at) : Promise.resolve(picture)),
      'destination',
    );
  },
};

async function each(work: NodeWork, make: (picture: Picture) => Promise<Picture>, input = 'image') {
  return image(...(await Promise.all(imagesOf(work, input).map(make))));
}

async function loadInput(work: NodeWork) {
  const annotated = textOf(work, 'image');
  const { name, type = 'input' } = splitAnnotation(annotated);
  const key = containedKey('', name);
  const file = key === undefined ? undefined : work.files.get(type, key);
  if (!file) throw new PythonError('FileNotFoundError', `[Errno 2] No such file or directory: '${name}'`);
  try {
    return await decodePicture(file.bytes);
  } catch {
    // Whatever the decoder says, the real server says only this.
    throw new PythonError('PIL.UnidentifiedImageError', `cannot identify image file '${name}'`);
  }
}

function resize(
  work: NodeWork,
  picture: Picture,
  width: number,
  height: number,
  crop = false,
): Promise<Picture> {
  const method = textOf(work, 'upscale_method', 'bilinear');
  const kernel = KERNELS[method];
  if (!kernel) throw new PythonError('NotImplementedError', `got unknown interpolation mode ${method}`);
  const [wide, high] = [Math.max(1, width), Math.max(1, height)];
  const fit = crop ? 'cover' : 'fill';
  return transform(picture, `resize ${wide} ${high} ${kernel} ${fit}`, (it) =>
    it.resize(wide, high, { kernel, fit }),
  );
}

/** A picture stretched to another's size, as nodes that join two pictures do. */
async function fitted(picture: Picture, { width, height }: Picture): Promise<Picture> {
  if (picture.width === width && picture.height === height) return picture;
  return transform(picture, `fit ${width} ${height}`, (it) => it.resize(width, height, { fit: 'fill' }));
}

async function channelOf(picture: Picture, channel: string): Promise<Picture> {
  const at = Math.max(0, ['red', 'green', 'blue'].indexOf(channel));
  const single: Picture = { ...solid(picture.width, picture.height, [0]), key: `${picture.key}:${channel}` };
  return mix(`channel ${at}`, single, [], (index) => picture.data[index * 3 + at] ?? 0);
}

function greyImage(cover: Picture): Picture {
  const base: Picture = { ...solid(cover.width, cover.height, [0, 0, 0]), key: `${cover.key}:grey` };
  return mix('grey', base, [], (index) => cover.data[Math.floor(index / 3)] ?? 0);
}

async function composite(
  target: Picture,
  source: Picture,
  cover: Picture | undefined,
  { x, y, resize: stretch }: { x: number; y: number; resize: boolean },
): Promise<Picture> {
  const over = stretch ? await fitted(source, target) : source;
  const alpha = cover ? await fitted(cover, over) : undefined;
  const { data } = await open(over)
    .resize(over.width, over.height)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const parts = alpha ? [over, alpha] : [over];
  return mix(`composite ${x} ${y}`, target, parts, (index, value) => {
    const pixel = Math.floor(index / 3);
    const [column, row] = [(pixel % target.width) - x, Math.floor(pixel / target.width) - y];
    if (column < 0 || row < 0 || column >= over.width || row >= over.height) return value;
    const from = row * over.width + column;
    const share = alpha ? (alpha.data[from] ?? 0) / 255 : 1;
    return Math.round(value * (1 - share) + (data[from * 3 + (index % 3)] ?? 0) * share);
  });
}

/** Blend modes on values 0–1. */
function blendMode(mode: string): (a: number, b: number) => number {
  switch (mode) {
    case 'normal':
      return (_, b) => b;
    case 'multiply':
      return (a, b) => a * b;
    case 'screen':
      return (a, b) => 1 - (1 - a) * (1 - b);
    case 'overlay':
      return (a, b) => (a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b));
    case 'soft_light':
      return (a, b) => (b <= 0.5 ? a - (1 - 2 * b) * a * (1 - a) : a + (2 * b - 1) * (Math.sqrt(a) - a));
    case 'difference':
      return (a, b) => Math.abs(a - b);
    default:
      throw new PythonError('ValueError', `Unsupported blend mode: ${mode}`);
  }
}
