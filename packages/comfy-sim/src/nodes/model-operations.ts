import {
  image,
  imagesOf,
  latentOf,
  linked,
  numberOf,
  textOf,
  type NodeOperation,
  type NodeResult,
  type NodeWork,
} from './node-work.ts';
import type { Picture } from './node-value.ts';
import { toPreview, transform } from './pictures.ts';
import { blendOver, drawSimulated } from './simulated-picture.ts';

export const modelOperations: Record<string, NodeOperation> = {
  CheckpointLoaderSimple: async (work) => {
    const name = textOf(work, 'ckpt_name');
    await work.loadModel('checkpoints', name);
    return {
      values: [
        { type: 'MODEL', name },
        { type: 'CLIP', name },
        { type: 'VAE', name },
      ],
    };
  },
  LoraLoader: async (work) => {
    const name = textOf(work, 'lora_name');
    await work.loadModel('loras', name);
    return {
      values: [
        { type: 'MODEL', name: `${nameOf(work, 'model')} + ${name}` },
        { type: 'CLIP', name },
      ],
    };
  },
  VAELoader: (work) => ({ values: [{ type: 'VAE', name: textOf(work, 'vae_name') }] }),
  UpscaleModelLoader: async (work) => {
    const name = textOf(work, 'model_name');
    await work.loadModel('upscale_models', name);
    return { values: [{ type: 'UPSCALE_MODEL', name }] };
  },
  CLIPTextEncode: (work) => ({ values: [{ type: 'CONDITIONING', text: textOf(work, 'text') }] }),
  CLIPSetLastLayer: (work) => ({ values: [{ type: 'CLIP', name: nameOf(work, 'clip') }] }),
  EmptyLatentImage: (work) => ({
    values: [
      {
        type: 'LATENT',
        width: numberOf(work, 'width', 512),
        height: numberOf(work, 'height', 512),
        batch: numberOf(work, 'batch_size', 1),
        pictures: undefined,
      },
    ],
  }),
  LatentUpscale: async (work) => {
    const latent = latentOf(work, 'samples');
    const width = numberOf(work, 'width') || latent.width;
    const height = numberOf(work, 'height') || latent.height;
    const pictures = latent.pictures?.map((it) => stretch(it, width, height));
    return { values: [{ ...latent, width, height, pictures: pictures && (await Promise.all(pictures)) }] };
  },
  VAEEncode: (work) => {
    const pictures = imagesOf(work, 'pixels');
    const { width = 8, height = 8 } = pictures[0] ?? {};
    return { values: [{ type: 'LATENT', width, height, batch: pictures.length, pictures }] };
  },
  VAEDecode: async (work) => {
    const latent = latentOf(work, 'samples');
    const blank = {
      width: latent.width,
      height: latent.height,
      seed: 0,
      text: 'empty latent',
      plain: work.plain,
    };
    return image(...(latent.pictures ?? [await drawSimulated(blank)]));
  },
  KSampler: (work) =>
    sample(work, numberOf(work, 'seed'), numberOf(work, 'steps', 20), numberOf(work, 'denoise', 1)),
  KSamplerAdvanced: (work) => {
    const all = numberOf(work, 'steps', 20);
    const from = Math.min(numberOf(work, 'start_at_step'), all);
    const to = Math.min(numberOf(work, 'end_at_step', all), all);
    const steps = Math.max(1, to - from);
    return sample(work, numberOf(work, 'noise_seed'), steps, steps / Math.max(1, all));
  },
  ImageUpscaleWithModel: async (work) => {
    const by = upscaleFactor(nameOf(work, 'upscale_model'));
    const pictures = imagesOf(work, 'image');
    // The real node works tile by tile and reports each.
    const tiles = Math.max(
      1,
      ...pictures.map((it) => Math.ceil(it.width / 480) * Math.ceil(it.height / 480)),
    );
    for (let tile = 1; tile <= tiles; tile += 1) await work.step(tile, tiles);
    return image(...(await Promise.all(pictures.map((it) => stretch(it, it.width * by, it.height * by)))));
  },
};

async function sample(work: NodeWork, seed: number, steps: number, denoise: number): Promise<NodeResult> {
  // The loader may be cached while its model is not in memory any more.
  await work.loadModel('checkpoints', nameOf(work, 'model').split(' + ')[0] ?? '');
  const latent = latentOf(work, 'latent_image');
  const positive = linked(work, 'positive');
  const text = positive?.type === 'CONDITIONING' ? positive.text : '';
  const drawn = await Promise.all(
    Array.from({ length: latent.batch }, async (_, at) => {
      const source = latent.pictures?.[at];
      const { width, height } = source ?? latent;
      const picture = await drawSimulated({ width, height, seed: seed + at, text, plain: work.plain });
      return source ? blendOver(source, picture, denoise) : picture;
    }),
  );
  const [first] = drawn;
  for (let step = 1; step <= steps; step += 1) {
    await work.step(
      step,
      steps,
      first && work.previews ? { preview: () => sharpening(first, step / steps) } : {},
    );
  }
  return { values: [{ ...latent, pictures: drawn }] };
}

/** A preview early in sampling shows little; the blur lifts with the steps. */
async function sharpening(picture: Picture, progress: number): Promise<Uint8Array> {
  const blur = Math.round((1 - progress) * 12);
  const shown = await transform(picture, 'shrink', (it) =>
    it.resize(256, 256, { fit: 'inside', withoutEnlargement: true }),
  );
  return toPreview(blur === 0 ? shown : await transform(shown, `soften ${blur}`, (it) => it.blur(blur)));
}

function stretch(picture: Picture, width: number, height: number): Promise<Picture> {
  return transform(picture, `stretch ${width} ${height}`, (it) =>
    it.resize(width, height, { fit: 'fill', kernel: 'lanczos3' }),
  );
}

function nameOf(work: NodeWork, name: string): string {
  const value = linked(work, name);
  return value && 'name' in value ? value.name : '';
}

/** `RealESRGAN_x4plus` and `4x-UltraSharp` say how much they enlarge; 4 is the common case. */
function upscaleFactor(model: string): number {
  const found = /x(\d)|(\d)x/i.exec(model);
  return Number(found?.[1] ?? found?.[2] ?? 4) || 4;
}
