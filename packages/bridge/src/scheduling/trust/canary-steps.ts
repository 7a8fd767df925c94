import type { ApiPrompt } from '@comfy-bridge/protocol';

import type { NodeDefinitions } from '../../comfy/object-info.ts';
import { crop, fill, flip, invert, rotate, scale } from './raster.ts';
import type { Raster } from './raster.ts';

/** A number from 0 (included) to 1 (excluded). */
export type Random = () => number;

type Node = ApiPrompt[string];

/** One thing that is done to a picture: by nodes on a backend, and by the bridge itself. */
export interface CanaryStep {
  /** For people: the node, and what it was told. */
  readonly text: string;
  /** The node itself; `image` is the link to what it works on. */
  node(image: [string, number]): Node;
  /** A node that it needs beside that, and the input that takes its picture. */
  readonly second?: { input: string; node: Node };
  apply(raster: Raster): Raster;
}

/** A kind of step. Every one is exact, or so close to it that a few levels of 255 are all that can differ. */
interface CanaryStepKind {
  /** Classes and choices that it needs. */
  readonly needs: readonly { classType: string; inputs: readonly string[]; option?: [string, string] }[];
  make(raster: Raster, random: Random): CanaryStep;
}

/** Pictures stay between these, so that none is ever large. */
const leastSide = 64;
const mostSide = 384;
/** Of a part that is taken or laid over, beside the whole. */
const [leastShare, mostShare] = [0.5, 0.85];

export const canaryStepKinds: readonly CanaryStepKind[] = [
  {
    needs: [{ classType: 'ImageInvert', inputs: ['image'] }],
    make: () => ({
      text: 'ImageInvert',
      node: (image) => ({ class_type: 'ImageInvert', inputs: { image } }),
      apply: invert,
    }),
  },
  {
    needs: [{ classType: 'ImageCrop', inputs: ['image', 'width', 'height', 'x', 'y'] }],
    make(raster, random) {
      const area = chooseArea(raster, random);
      return {
        text: `ImageCrop ${area.width}×${area.height}+${area.x}+${area.y}`,
        node: (image) => ({ class_type: 'ImageCrop', inputs: { image, ...area } }),
        apply: (picture) => crop(picture, area),
      };
    },
  },
  {
    needs: [
      {
        classType: 'ImageScale',
        inputs: ['image', 'upscale_method', 'width', 'height', 'crop'],
        option: ['upscale_method', 'nearest-exact'],
      },
    ],
    make({ width, height }, random) {
      const by = chooseFactor({ width, height }, random);
      const size = { width: width * by, height: height * by };
      return {
        text: `ImageScale to ${size.width}×${size.height}`,
        node: (image) => ({
          class_type: 'ImageScale',
          inputs: { image, upscale_method: 'nearest-exact', ...size, crop: 'disabled' },
        }),
        apply: (picture) => scale(picture, size),
      };
    },
  },
  {
    needs: [
      {
        classType: 'ImageFlip',
        inputs: ['image', 'flip_method'],
        option: ['flip_method', 'x-axis: vertically'],
      },
    ],
    make(_raster, random) {
      const direction = random() < 0.5 ? 'vertically' : 'horizontally';
      const method = direction === 'vertically' ? 'x-axis: vertically' : 'y-axis: horizontally';
      return {
        text: `ImageFlip ${direction}`,
        node: (image) => ({ class_type: 'ImageFlip', inputs: { image, flip_method: method } }),
        apply: (picture) => flip(picture, direction),
      };
    },
  },
  {
    needs: [{ classType: 'ImageRotate', inputs: ['image', 'rotation'], option: ['rotation', '90 degrees'] }],
    make(_raster, random) {
      const degrees = chooseOf([90, 180, 270] as const, random);
      return {
        text: `ImageRotate ${degrees}`,
        node: (image) => ({ class_type: 'ImageRotate', inputs: { image, rotation: `${degrees} degrees` } }),
        apply: (picture) => rotate(picture, degrees),
      };
    },
  },
  {
    needs: [
      {
        classType: 'ImageCompositeMasked',
        inputs: ['destination', 'source', 'x', 'y', 'resize_source'],
      },
      { classType: 'EmptyImage', inputs: ['width', 'height', 'batch_size', 'color'] },
    ],
    make(raster, random) {
      const { x, y, width, height } = chooseArea(raster, random, 0.4);
      const colour = chooseColour(random);
      const [red = 0, green = 0, blue = 0] = colour;
      return {
        text: `ImageCompositeMasked ${width}×${height}+${x}+${y}`,
        node: (image) => ({
          class_type: 'ImageCompositeMasked',
          inputs: { destination: image, x, y, resize_source: false },
        }),
        second: {
          input: 'source',
          node: {
            class_type: 'EmptyImage',
            inputs: { width, height, batch_size: 1, color: red * 65_536 + green * 256 + blue },
          },
        },
        apply: (picture) => fill(picture, { x, y, width, height }, colour),
      };
    },
  },
];

/** Whether a backend lists all that a kind of step needs. */
export function isOffered({ needs }: CanaryStepKind, definitions: NodeDefinitions): boolean {
  return needs.every(({ classType, inputs, option }) => {
    const offered = definitions.get(classType)?.inputs;
    if (offered === undefined || !inputs.every((name) => offered.has(name))) return false;
    // One that asks for more than we know is another node of that name.
    if ([...offered].some(([name, { required }]) => required && !inputs.includes(name))) return false;
    return option === undefined || offered.get(option[0])?.options?.includes(option[1]) === true;
  });
}

export function chooseOf<T>(items: readonly [T, ...T[]], random: Random): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** From `least` to `most`, both included. */
export function chooseWhole(least: number, most: number, random: Random): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** Any brightness, and not much colour: lossy formats keep brightness well, and colours badly. */
export function chooseColour(random: Random): readonly number[] {
  const brightness = random() * 255;
  return [0, 1, 2].map(() => Math.round(Math.min(255, Math.max(0, brightness + (random() - 0.5) * 80))));
}

function chooseArea({ width, height }: Raster, random: Random, most = mostShare) {
  const least = Math.min(leastShare, most / 2);
  function chooseSide(side: number): number {
    const share = least + random() * (most - least);
    return Math.max(Math.min(side, leastSide / 2), Math.floor(side * share));
  }
  const area = { width: chooseSide(width), height: chooseSide(height) };
  return {
    ...area,
    x: chooseWhole(0, width - area.width, random),
    y: chooseWhole(0, height - area.height, random),
  };
}

function chooseFactor({ width, height }: { width: number; height: number }, random: Random): number {
  const most = Math.max(1, Math.floor(mostSide / Math.max(width, height)));
  return most === 1 ? 1 : chooseWhole(2, Math.min(3, most), random);
}
