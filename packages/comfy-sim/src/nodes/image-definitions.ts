import type { InputSpec, NodeDefinition } from '../wire.ts';
import { combo, defineNode, defineSchemaNode, float, int } from './define-node.ts';

const NODES = 'nodes';
const IMAGES = 'comfy_extras.nodes_images';
const MASK = 'comfy_extras.nodes_mask';
const POST = 'comfy_extras.nodes_post_processing';
const UPSCALE = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'];
const SAVED = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' };
const side = (fallback: number, min = 0): InputSpec => int(fallback, min, 16384, { step: 1 });
const pad = (): InputSpec => int(0, 0, 16384, { step: 8 });
const image: InputSpec = ['IMAGE'];
const imageWithOptions: InputSpec = ['IMAGE', {}];
const out = ['IMAGE'];

/** Nodes that need no model. `inputFiles` are the names directly in the input folder: the choices of LoadImage. */
export function imageDefinitions(inputFiles: string[]): NodeDefinition[] {
  const upload: InputSpec = [inputFiles, { image_upload: true }];
  return [
    defineNode('LoadImage', {
      required: { image: upload },
      output: ['IMAGE', 'MASK'],
      display: 'Load Image',
      module: NODES,
      category: 'image',
    }),
    defineNode('LoadImageMask', {
      required: { image: upload, channel: [['alpha', 'red', 'green', 'blue']] },
      output: ['MASK'],
      display: 'Load Image (as Mask)',
      module: NODES,
      category: 'mask',
    }),
    defineNode('SaveImage', {
      required: { images: imageWithOptions, filename_prefix: ['STRING', { default: 'ComfyUI' }] },
      hidden: SAVED,
      outputNode: true,
      display: 'Save Image',
      module: NODES,
      category: 'image',
    }),
    defineNode('PreviewImage', {
      required: { images: image },
      hidden: SAVED,
      outputNode: true,
      display: 'Preview Image',
      module: NODES,
      category: 'image',
    }),
    defineNode('SaveAnimatedWEBP', {
      required: {
        images: image,
        filename_prefix: ['STRING', { default: 'ComfyUI' }],
        fps: float(6, 0.01, 1000, 0.01),
        lossless: ['BOOLEAN', { default: true }],
        quality: int(80, 0, 100),
        method: [['default', 'fastest', 'slowest']],
      },
      hidden: SAVED,
      outputNode: true,
      module: IMAGES,
      category: 'image/animation',
    }),
    ...scalingDefinitions(),
    ...transformDefinitions(),
    ...postDefinitions(),
    ...maskDefinitions(),
  ];
}

function scalingDefinitions(): NodeDefinition[] {
  const category = 'image/upscaling';
  return [
    defineNode('ImageScale', {
      required: {
        image,
        upscale_method: [UPSCALE],
        width: side(512),
        height: side(512),
        crop: [['disabled', 'center']],
      },
      output: out,
      display: 'Upscale Image',
      module: NODES,
      category,
    }),
    defineNode('ImageScaleBy', {
      required: { image, upscale_method: [UPSCALE], scale_by: float(1, 0.01, 8, 0.01) },
      output: out,
      display: 'Upscale Image By',
      module: NODES,
      category,
    }),
    defineSchemaNode('ImageScaleToTotalPixels', {
      required: {
        image: imageWithOptions,
        upscale_method: combo(...UPSCALE),
        megapixels: float(1, 0.01, 16, 0.01),
      },
      output: out,
      module: POST,
      category,
    }),
    defineNode('ImageScaleToMaxDimension', {
      required: {
        image,
        upscale_method: [['area', 'lanczos', 'bilinear', 'nearest-exact', 'bilinear', 'bicubic']],
        largest_size: side(512),
      },
      output: out,
      module: IMAGES,
      category,
    }),
  ];
}

function transformDefinitions(): NodeDefinition[] {
  const category = 'image/transform';
  return [
    defineNode('ImageCrop', {
      required: { image, width: side(512, 1), height: side(512, 1), x: side(0), y: side(0) },
      output: out,
      display: 'Image Crop',
      module: IMAGES,
      category,
    }),
    defineNode('ImageFlip', {
      required: { image, flip_method: [['x-axis: vertically', 'y-axis: horizontally']] },
      output: out,
      module: IMAGES,
      category,
    }),
    defineNode('ImageRotate', {
      required: { image, rotation: [['none', '90 degrees', '180 degrees', '270 degrees']] },
      output: out,
      module: IMAGES,
      category,
    }),
    defineNode('ImagePadForOutpaint', {
      required: { image, left: pad(), top: pad(), right: pad(), bottom: pad(), feathering: side(40) },
      output: ['IMAGE', 'MASK'],
      display: 'Pad Image for Outpainting',
      module: NODES,
      category: 'image',
    }),
    defineNode('ImageInvert', {
      required: { image },
      output: out,
      display: 'Invert Image',
      module: NODES,
      category: 'image',
    }),
    defineNode('ImageBatch', {
      required: { image1: image, image2: image },
      output: out,
      display: 'Batch Images',
      module: NODES,
      category: 'image',
    }),
    defineNode('EmptyImage', {
      required: {
        width: side(512, 1),
        height: side(512, 1),
        batch_size: int(1, 1, 4096),
        color: int(0, 0, 0xffffff, { step: 1, display: 'color' }),
      },
      output: out,
      module: NODES,
      category: 'image',
    }),
    defineNode('RepeatImageBatch', {
      required: { image, amount: int(1, 1, 4096) },
      output: out,
      module: IMAGES,
      category: 'image/batch',
    }),
    defineNode('ImageFromBatch', {
      required: { image, batch_index: int(0, 0, 4095), length: int(1, 1, 4096) },
      output: out,
      module: IMAGES,
      category: 'image/batch',
    }),
  ];
}

function postDefinitions(): NodeDefinition[] {
  const category = 'image/postprocessing';
  return [
    defineSchemaNode('ImageBlend', {
      required: {
        image1: imageWithOptions,
        image2: imageWithOptions,
        blend_factor: float(0.5, 0, 1, 0.01),
        blend_mode: combo('normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'),
      },
      output: out,
      module: POST,
      category,
    }),
    defineSchemaNode('ImageBlur', {
      required: {
        image: imageWithOptions,
        blur_radius: int(1, 1, 31, { step: 1 }),
        sigma: float(1, 0.1, 10, 0.1),
      },
      output: out,
      module: POST,
      category,
    }),
    defineSchemaNode('ImageSharpen', {
      required: {
        image: imageWithOptions,
        sharpen_radius: int(1, 1, 31, { step: 1 }),
        sigma: float(1, 0.1, 10, 0.01),
        alpha: float(1, 0, 5, 0.01),
      },
      output: out,
      module: POST,
      category,
    }),
    defineSchemaNode('ImageQuantize', {
      required: {
        image: imageWithOptions,
        colors: int(256, 1, 256, { step: 1 }),
        dither: combo('none', 'floyd-steinberg', 'bayer-2', 'bayer-4', 'bayer-8', 'bayer-16'),
      },
      output: out,
      module: POST,
      category,
    }),
  ];
}

function maskDefinitions(): NodeDefinition[] {
  const mask: InputSpec = ['MASK'];
  return [
    defineNode('ImageCompositeMasked', {
      required: {
        destination: image,
        source: image,
        x: side(0),
        y: side(0),
        resize_source: ['BOOLEAN', { default: false }],
      },
      optional: { mask },
      output: out,
      module: MASK,
      category: 'image',
    }),
    defineNode('SolidMask', {
      required: { value: float(1, 0, 1, 0.01), width: side(512, 1), height: side(512, 1) },
      output: ['MASK'],
      module: MASK,
      category: 'mask',
    }),
    defineNode('MaskToImage', {
      required: { mask },
      output: out,
      display: 'Convert Mask to Image',
      module: MASK,
      category: 'mask',
    }),
    defineNode('ImageToMask', {
      required: { image, channel: [['red', 'green', 'blue', 'alpha']] },
      output: ['MASK'],
      display: 'Convert Image to Mask',
      module: MASK,
      category: 'mask',
    }),
    defineNode('InvertMask', { required: { mask }, output: ['MASK'], module: MASK, category: 'mask' }),
  ];
}
