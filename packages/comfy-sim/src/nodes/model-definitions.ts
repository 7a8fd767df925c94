import type { InputSpec, NodeDefinition } from '../wire.ts';
import { combo, defineNode, defineSchemaNode, float, int } from './define-node.ts';

const NODES = 'nodes';
const SAMPLERS =
  'euler euler_cfg_pp euler_ancestral euler_ancestral_cfg_pp heun heunpp2 dpm_2 dpm_2_ancestral lms dpm_fast ' +
  'dpm_adaptive dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde dpmpp_sde_gpu dpmpp_2m dpmpp_2m_cfg_pp ' +
  'dpmpp_2m_sde dpmpp_2m_sde_gpu dpmpp_2m_sde_heun dpmpp_2m_sde_heun_gpu dpmpp_3m_sde dpmpp_3m_sde_gpu ddpm lcm ' +
  'ipndm ipndm_v deis res_multistep res_multistep_cfg_pp res_multistep_ancestral res_multistep_ancestral_cfg_pp ' +
  'gradient_estimation gradient_estimation_cfg_pp er_sde seeds_2 seeds_3 sa_solver sa_solver_pece ddim uni_pc uni_pc_bh2';
const SCHEDULERS =
  'simple sgm_uniform karras exponential ddim_uniform beta normal linear_quadratic kl_optimal';
/** The real limit is 2^64 - 1, which JSON numbers in JavaScript round to 2^64. */
const MAX_SEED = 2 ** 64;
const seed = int(0, 0, MAX_SEED, { control_after_generate: true });
const cfg: InputSpec = ['FLOAT', { default: 8, min: 0, max: 100, step: 0.1, round: 0.01 }];
const strength = float(1, -100, 100, 0.01);
const latentSide = (min: number, step: number): InputSpec => int(512, min, 16384, { step });

/** Nodes that need a model. `models` lists file names per folder of ComfyUI's `models/`. */
export function modelDefinitions(models: Record<string, string[]>): NodeDefinition[] {
  const files = (folder: string): string[] => models[folder] ?? [];
  const loader = { module: NODES, category: 'loaders' };
  return [
    defineNode('CheckpointLoaderSimple', {
      ...loader,
      required: { ckpt_name: [files('checkpoints'), {}] },
      output: ['MODEL', 'CLIP', 'VAE'],
      display: 'Load Checkpoint',
    }),
    defineNode('LoraLoader', {
      ...loader,
      required: {
        model: ['MODEL', {}],
        clip: ['CLIP', {}],
        lora_name: [files('loras'), {}],
        strength_model: strength,
        strength_clip: strength,
      },
      output: ['MODEL', 'CLIP'],
      display: 'Load LoRA',
    }),
    // A server always offers the built-in `pixel_space`.
    defineNode('VAELoader', {
      ...loader,
      required: { vae_name: [[...files('vae'), 'pixel_space']] },
      output: ['VAE'],
      display: 'Load VAE',
    }),
    defineSchemaNode('UpscaleModelLoader', {
      module: 'comfy_extras.nodes_upscale_model',
      category: 'loaders',
      required: { model_name: combo(...files('upscale_models')) },
      output: ['UPSCALE_MODEL'],
      display: 'Load Upscale Model',
    }),
    defineSchemaNode('ImageUpscaleWithModel', {
      module: 'comfy_extras.nodes_upscale_model',
      category: 'image/upscaling',
      required: { upscale_model: ['UPSCALE_MODEL', {}], image: ['IMAGE', {}] },
      output: ['IMAGE'],
      display: 'Upscale Image (using Model)',
    }),
    ...textDefinitions(),
    ...latentDefinitions(),
    ...samplerDefinitions(),
  ];
}

function textDefinitions(): NodeDefinition[] {
  return [
    defineNode('CLIPTextEncode', {
      required: { text: ['STRING', { multiline: true, dynamicPrompts: true }], clip: ['CLIP', {}] },
      output: ['CONDITIONING'],
      display: 'CLIP Text Encode (Prompt)',
      module: NODES,
      category: 'conditioning',
    }),
    defineNode('CLIPSetLastLayer', {
      required: { clip: ['CLIP'], stop_at_clip_layer: int(-1, -24, -1, { step: 1 }) },
      output: ['CLIP'],
      display: 'CLIP Set Last Layer',
      module: NODES,
      category: 'conditioning',
    }),
  ];
}

function latentDefinitions(): NodeDefinition[] {
  const latent = { module: NODES, category: 'latent' };
  return [
    defineNode('EmptyLatentImage', {
      ...latent,
      required: { width: latentSide(16, 8), height: latentSide(16, 8), batch_size: int(1, 1, 4096) },
      output: ['LATENT'],
      display: 'Empty Latent Image',
    }),
    defineNode('VAEDecode', {
      ...latent,
      required: { samples: ['LATENT', {}], vae: ['VAE', {}] },
      output: ['IMAGE'],
      display: 'VAE Decode',
    }),
    defineNode('VAEEncode', {
      ...latent,
      required: { pixels: ['IMAGE'], vae: ['VAE'] },
      output: ['LATENT'],
      display: 'VAE Encode',
    }),
    defineNode('LatentUpscale', {
      ...latent,
      required: {
        samples: ['LATENT'],
        upscale_method: [['nearest-exact', 'bilinear', 'area', 'bicubic', 'bislerp']],
        width: latentSide(0, 8),
        height: latentSide(0, 8),
        crop: [['disabled', 'center']],
      },
      output: ['LATENT'],
      display: 'Upscale Latent',
    }),
  ];
}

function samplerDefinitions(): NodeDefinition[] {
  const sampling = { module: NODES, category: 'sampling', output: ['LATENT'] };
  const steps = int(20, 1, 10000);
  const samplers = SAMPLERS.split(' ');
  const schedulers = SCHEDULERS.split(' ');
  return [
    defineNode('KSampler', {
      ...sampling,
      required: {
        model: ['MODEL', {}],
        seed,
        steps,
        cfg,
        sampler_name: [samplers, {}],
        scheduler: [schedulers, {}],
        positive: ['CONDITIONING', {}],
        negative: ['CONDITIONING', {}],
        latent_image: ['LATENT', {}],
        denoise: float(1, 0, 1, 0.01),
      },
    }),
    defineNode('KSamplerAdvanced', {
      ...sampling,
      display: 'KSampler (Advanced)',
      required: {
        model: ['MODEL'],
        add_noise: [['enable', 'disable']],
        noise_seed: seed,
        steps,
        cfg,
        sampler_name: [samplers],
        scheduler: [schedulers],
        positive: ['CONDITIONING'],
        negative: ['CONDITIONING'],
        latent_image: ['LATENT'],
        start_at_step: int(0, 0, 10000),
        end_at_step: int(10000, 0, 10000),
        return_with_leftover_noise: [['disable', 'enable']],
      },
    }),
  ];
}
